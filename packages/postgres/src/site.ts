import type { Host, ProgressFacts, Shell } from '@deployfile/core'
import type { Password } from './connection/passfile.ts'
import type { Tunnel } from './connection/tunnel.ts'
import type { Connection } from './connection/url.ts'

/** A database, the host that it is reached from, and the task that wants something of it. */
export interface Site {
  /** The host where the client programs run. */
  readonly shell: Shell
  readonly connection: Connection
  /** Where the client programs run on this machine and the connection leads through another host. */
  readonly tunnel?: Tunnel
  readonly password?: Password | undefined
  /** The folder of backups on that host, absolute. */
  readonly folder: string
  readonly signal: AbortSignal
  log(message: string): void
  readonly progress: (done: number, total?: number, facts?: ProgressFacts) => void
}

/** The host that reaches the database: the one whose it is, wherever the client programs run. */
export function hostOf({ shell, tunnel }: Pick<Site, 'shell' | 'tunnel'>): Host {
  return tunnel?.host ?? shell.host
}
