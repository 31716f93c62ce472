import type { Host, Shell } from '@deployfile/core'

/** What a restart strategy is given, once a host, after `current` points where it should. */
export interface RestartContext {
  readonly host: Host
  readonly remote: Shell
  /** Absolute, no trailing slash. */
  readonly deployTo: string
  /** The link `current`, absolute. */
  readonly current: string
  /** The release of this run; absent when restarting alone or after a rollback. */
  readonly release?: { readonly name: string; readonly path: string; readonly revision: string }
  readonly log: (message: string) => void
  /** What changes things is only told, and answers nothing. Only of a strategy that has `preview`. */
  readonly dryRun?: boolean
}

/** How an application takes up the release that `current` points to. Must be safe to run twice. */
export interface RestartStrategy {
  /** For messages: `passenger`. */
  readonly name: string
  restart(context: RestartContext): Promise<void>
  /** It changes things only by `remote`, so that a dry run may enter it. Default: a dry run says that it would restart. */
  readonly preview?: true
}
