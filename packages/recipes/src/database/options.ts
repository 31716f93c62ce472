import type { Option, Secret, Shell } from '@deployfile/core'
import type { Backup, DumpChoices, Keep } from '@deployfile/postgres'

/** A database of one stage, as its primary db host sees it. */
export interface DatabaseSpec {
  /** As libpq takes it: `postgresql://app@/app_production` (this machine's socket), `postgresql://app@10.0.0.5:5432/app`. */
  readonly url: string
  /** `secret.env('…')`. Default: what the host knows by itself (peer, ~/.pgpass). */
  readonly password?: Secret
  /**
   * 'tunnel': the client programs of this machine are used, through an SSH tunnel to the host, for hosts that have none; backups of this
   * database are kept in the folder here. Default: those of the host.
   */
  readonly via?: 'tunnel'
}

/** Options of {@link postgres}. */
export interface PostgresOptions<K extends string = string> {
  /** The database of each stage that has one. */
  readonly databases: Readonly<Record<K, string | DatabaseSpec>>
  /** The stage that holds the real data: `db:backup:restore_from_prod` copies from it, and nothing is ever restored onto it. */
  readonly from: NoInfer<K>
  /** Part of the names of backups. Default: the name in package.json, else the folder of deploy.config.ts. */
  readonly application?: string
  /**
   * The folder of backups, absolute or relative: here to the folder of deploy.config.ts, on a remote host to the login's home. Default
   * `.deployfile/backups`.
   */
  readonly backups?: string
  /** What `db:backup:create` and `restore_from_prod` take of a stage's database, and how it is packed. Default: all of it, zstd or zlib 1. */
  readonly dump?: Option<DumpChoices>
  /** How the database of a stage is restored. */
  readonly restore?: Option<RestoreSpec>
  /** Which backups `db:backup:prune` leaves; what any of these rules keeps stays, and always the newest of each database. */
  readonly keep?: Keep
  /** Takes each backup of `db:backup:create` elsewhere; its failure fails the task, and the backup stays. */
  readonly store?: Store
  /**
   * For the day after a disaster: protected stages whose own database may be restored onto all the same. It is asked for by name, and
   * what is live is backed up first. Default: none; take it out again afterwards.
   */
  readonly recover?: readonly NoInfer<K>[]
}

/** SQL as it stands, or in a file, relative to deploy.config.ts. */
export type Sql = string | { readonly file: string }

/** How the database of a stage is restored. */
export interface RestoreSpec {
  /**
   * 'swap': into a fresh database beside the live one, then both are renamed. 'in-place': in one transaction of the live one, after a
   * backup of that. 'auto' (default): swap wherever the login may make databases.
   */
  readonly strategy?: 'auto' | 'swap' | 'in-place'
  /** How many databases that were live before stay on the server as `<name>_old_<time>`. Default 0 on this machine, else 1. */
  readonly keepOld?: number
  /** How many tables are restored at once. Default: one a processor of the host, at most 4; one with `stream` and in-place. */
  readonly jobs?: number
  /** Back up what is live first. Default false; in-place it is always done. */
  readonly safetyBackup?: boolean
  /**
   * `restore_from_prod` restores the dump as it comes, and keeps no file of it. Never in-place. Default false: the dump becomes a backup
   * here, which several restore at once, and which is there for another try.
   */
  readonly stream?: boolean
  /** Run in the restored database before anybody can see it. Materialized views are refreshed afterwards. */
  readonly anonymize?: Sql | readonly Sql[]
  /** Run after `anonymize`, still before anybody can see the database (in-place: right after the transaction). */
  readonly postRestore?: Sql | readonly Sql[]
  /** What `ar_internal_metadata` of Rails says afterwards. Default: the stage's name, `development` for a stage called dev. */
  readonly railsEnvironment?: string
}

/** What a {@link Store} gets. */
export interface Stored {
  readonly backup: Backup
  /** The file, absolute, on `remote`. */
  readonly file: string
  /** Its manifest. */
  readonly manifest: string
  /** The host that has both. */
  readonly remote: Shell
  readonly local: Shell
  readonly signal: AbortSignal
  readonly log: (message: string) => void
}

/**
 * Takes a whole backup elsewhere, right after it was made: a command of sh on the host that has it, in which "$FILE" and "$MANIFEST" are
 * their paths; or a function.
 */
export type Store = string | ((stored: Stored) => Promise<void>)
