import type { Task } from '@deployfile/core'
import type { Backup, RestoreResult, VerifiedBackup } from '@deployfile/postgres'

// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- what core calls the input of a task that takes none
type NoInput = {}

/** One line of `db:backup:list`. */
export interface ListedBackup {
  /** Absolute path on the host. */
  readonly file: string
  readonly bytes: number
  /** 'incomplete': without a manifest, so never restored as `latest`. */
  readonly status: 'done' | 'incomplete'
  /** UTC, ISO 8601; absent for an incomplete one, as what follows. */
  readonly createdAt?: string
  readonly stage?: string
  readonly database?: string
  readonly tables?: number
}

export interface DownloadedBackup {
  /** Absolute path on this machine. */
  readonly file: string
  readonly bytes: number
}

/** Absolute paths on the host. */
export interface PrunedBackups {
  readonly removed: readonly string[]
  readonly kept: readonly string[]
}

/** The tasks of {@link postgres}, by the property under which others need them. */
export interface PostgresTasks {
  readonly create: Task<'db:backup:create', NoInput, Backup, 'primary'>
  readonly list: Task<'db:backup:list', NoInput, readonly ListedBackup[], 'primary'>
  readonly verify: Task<
    'db:backup:verify',
    { file?: string | undefined; deep?: boolean | undefined },
    VerifiedBackup,
    'primary'
  >
  readonly download: Task<'db:backup:download', { file?: string | undefined }, DownloadedBackup, 'primary'>
  readonly prune: Task<
    'db:backup:prune',
    { last?: number | undefined; days?: number | undefined },
    PrunedBackups,
    'primary'
  >
  readonly restore: Task<'db:backup:restore', { file: string }, RestoreResult, 'primary'>
  readonly console: Task<'db:console', { write?: boolean | undefined }, void, 'primary'>
  readonly restoreFromProd: Task<'db:backup:restore_from_prod', NoInput, RestoreResult, 'primary'>
}
