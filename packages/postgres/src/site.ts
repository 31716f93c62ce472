import type { ProgressFacts, Shell } from '@deployfile/core'
import type { Password } from './connection/passfile.ts'
import type { Connection } from './connection/url.ts'

/** A database, the host that it is reached from, and the task that wants something of it. */
export interface Site {
  /** The host where the client programs run. */
  readonly shell: Shell
  readonly connection: Connection
  readonly password?: Password | undefined
  /** The folder of backups on that host, absolute. */
  readonly folder: string
  readonly signal: AbortSignal
  log(message: string): void
  readonly progress: (done: number, total?: number, facts?: ProgressFacts) => void
}
