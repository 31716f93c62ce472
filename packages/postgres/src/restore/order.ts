import type { Question } from '@deployfile/core'
import type { FoundBackup } from '../backup/find.ts'
import type { Stamp } from '../backup/name.ts'
import type { RestoreChoices } from './choices.ts'
import type { ProductionDatabase } from './guard.ts'
import type { Strategy } from './rights.ts'

/** What becomes of a database that is replaced, wherever the new one comes from. */
export interface ReplaceOrder {
  /** The stage whose database is replaced. */
  readonly stage: string
  /** Part of the name of a safety backup. */
  readonly application?: string
  /** Names the fresh database, so that it is found again after an interrupt. */
  readonly stamp: Stamp
  readonly choices?: RestoreChoices
}

export interface RestoreOrder extends ReplaceOrder {
  /** The archive, on the site's host. */
  readonly backup: FoundBackup
  /** What must never be the target; none known is refused. */
  readonly production: readonly ProductionDatabase[]
  /** Stages of that list that the config lets be restored all the same. Default: none. */
  readonly recover?: readonly string[]
  /** Called before anything is changed, when the target is not simply one's own. */
  confirm(question: Question): Promise<void>
}

export interface RestoreResult {
  readonly database: string
  readonly host: string
  /** The backup; absent when the dump was restored as it came, and no file was kept. */
  readonly file?: string
  readonly tables: number
  readonly strategy: Strategy
  /** The database that was live before, where it stays on the server. */
  readonly kept?: string
  /** The backup that was made of the live database before. */
  readonly safety?: string
  readonly durationMs: number
}
