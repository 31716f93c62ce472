import type { Strategy } from './rights.ts'

/** How a restore is done, where it can be done in more than one way. */
export interface RestoreChoices {
  /**
   * 'swap': into a fresh database beside the live one, then both are renamed. 'in-place': all of it in one transaction of the live one,
   * after a backup of that. 'auto' (default): swap wherever the login may make databases.
   */
  readonly strategy?: 'auto' | Strategy
  /** How many databases that were live before stay on the server as `<name>_old_<time>`. Default 0 on this machine, else 1. */
  readonly keepOld?: number
  /** Back the target up first. Default false; always done in-place. */
  readonly safetyBackup?: boolean
  /** How many tables are restored at once, from a file into a fresh database. Default: one a processor of the host, at most 4. */
  readonly jobs?: number
  /** SQL for the restored database, run before anybody can see it (in-place: right after the transaction). */
  readonly postRestore?: readonly string[]
  /**
   * SQL that takes out what must not be seen. Run before `postRestore` and before anybody can see the database, so never in-place.
   * Materialized views are refreshed afterwards.
   */
  readonly anonymize?: readonly string[]
  /** What `ar_internal_metadata` of Rails is told to be. Default: the stage's name, `development` for a stage called dev. */
  readonly railsEnvironment?: string
}
