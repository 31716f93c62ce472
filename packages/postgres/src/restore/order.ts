import type { Question } from '@deployfile/core'
import type { FoundBackup } from '../backup/find.ts'
import type { Stamp } from '../backup/name.ts'
import type { RestoreChoices } from './choices.ts'
import type { ProductionDatabase } from './guard.ts'
import type { Strategy } from './rights.ts'

export interface RestoreOrder {
  /** The archive, on the site's host. */
  readonly backup: FoundBackup
  /** The stage whose database is replaced. */
  readonly stage: string
  /** Part of the name of a safety backup. */
  readonly application?: string
  /** What must never be the target; none known is refused. */
  readonly production: readonly ProductionDatabase[]
  /** Stages of that list that the config lets be restored all the same. Default: none. */
  readonly recover?: readonly string[]
  /** Names the fresh database, so that it is found again after an interrupt. */
  readonly stamp: Stamp
  readonly choices?: RestoreChoices
  /** Called before anything is changed, when the target is not simply one's own. */
  confirm(question: Question): Promise<void>
}

export interface RestoreResult {
  readonly database: string
  readonly host: string
  readonly file: string
  readonly tables: number
  readonly strategy: Strategy
  /** The database that was live before, where it stays on the server. */
  readonly kept?: string
  /** The backup that was made of the live database before. */
  readonly safety?: string
  readonly durationMs: number
}
