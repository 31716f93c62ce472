import type { Task } from '@deployfile/core'
import type { Backup, RestoreResult } from '@deployfile/postgres'

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

/** The tasks of {@link postgres}, by the property under which others need them. */
export interface PostgresTasks {
  readonly create: Task<'db:backup:create', NoInput, Backup, 'primary'>
  readonly list: Task<'db:backup:list', NoInput, readonly ListedBackup[], 'primary'>
  readonly restore: Task<'db:backup:restore', { file: string }, RestoreResult, 'primary'>
  readonly restoreFromProd: Task<'db:backup:restore_from_prod', NoInput, RestoreResult, 'primary'>
}
