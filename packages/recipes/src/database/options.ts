import * as z from 'zod'
import {
  isProblem,
  isSecret,
  mainIssue,
  Problem,
  valueFault,
  type Option,
  type Secret,
  type Shell,
} from '@deployfile/core'
import { parseDatabaseUrl, type Backup, type DumpChoices, type Keep } from '@deployfile/postgres'
import { parseOptions } from '../option/parse-options.ts'
import type { Database, Settings } from './settings.ts'

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

const CONTROL = /[\u0000-\u001f\u007f]/

const COMPRESS = "expected 'auto', a level from 1 to 9, or a method such as 'zstd' or 'zstd:3'"
const names = z.array(z.string().min(1))
const dumpSchema = z.strictObject({
  compress: z
    .union(
      [
        z.literal('auto'),
        z.int().min(1, 'uncompressed, a flipped bit would be restored as data').max(9, COMPRESS),
        z.string().regex(/^(zlib|gzip|zstd|lz4)(:\d+)?$/, COMPRESS),
      ],
      COMPRESS,
    )
    .optional(),
  excludeTables: names.optional(),
  excludeTableData: names.optional(),
  schemaOnly: z.boolean().optional(),
})
const sql = z.union([z.string().min(1), z.strictObject({ file: z.string().min(1) })])
const sqls = z.union([sql, z.array(sql)])
const restoreSchema = z.strictObject({
  strategy: z.enum(['auto', 'swap', 'in-place']).optional(),
  keepOld: z.int().min(0).max(20).optional(),
  safetyBackup: z.boolean().optional(),
  stream: z.boolean().optional(),
  anonymize: sqls.optional(),
  postRestore: sqls.optional(),
  railsEnvironment: z.string().min(1).optional(),
})

/** An option by stage. What a function or a table gives is checked when the stage is known; a plain value now. */
function choice<V>(of: z.ZodType): z.ZodType<Option<V>> {
  return z.custom<Option<V>>().superRefine((value, context) => {
    if (typeof value === 'function' || (typeof value === 'object' && value !== null && '~perStage' in value))
      return
    const issue = mainIssue(of.safeParse(value).error?.issues ?? [])
    if (!issue) return
    const { path, message, missing, hint } = valueFault(of, value, issue)
    const said = missing === true ? 'it is missing' : message
    context.addIssue({ code: 'custom', message: said, path: [...path], params: { hint } })
  })
}

const schema = z.strictObject({
  databases: z.record(
    z.string(),
    z.preprocess(
      (value) => (typeof value === 'string' ? { url: value } : value),
      z.strictObject({
        url: z.string('a database is a URL, or { url, password, via }'),
        password: z
          .custom<Secret>(isSecret, "a password is given as secret.env('…'), so that it is written nowhere")
          .optional(),
        via: z.literal('tunnel', "it is 'tunnel', or left out").optional(),
      }),
    ),
  ),
  from: z.string(),
  application: z.string().min(1, 'it is empty').optional(),
  dump: choice<DumpChoices>(dumpSchema).default({}),
  restore: choice<RestoreSpec>(restoreSchema).default({}),
  keep: z
    .strictObject({
      last: z.int().min(1, 'it keeps at least 1').optional(),
      days: z.number().positive('it is a number of days').optional(),
      minimum: z.int().min(1, 'it keeps at least 1').optional(),
    })
    .refine((keep) => keep.last !== undefined || keep.days !== undefined, "it needs 'last' or 'days'")
    .optional(),
  store: z
    .custom<Store>(
      (value) => typeof value === 'function' || (typeof value === 'string' && value.trim() !== ''),
      'it is a command, or a function',
    )
    .optional(),
  recover: z.array(z.string()).default([]),
  backups: z
    .string()
    .refine((path) => path !== '' && !CONTROL.test(path), 'it is not the path of a folder')
    .refine((path) => !path.startsWith('~'), 'a relative path is below the home of a remote host already')
    .refine((path) => !path.split('/').includes('..'), "'..' is not allowed in it")
    .default('.deployfile/backups'),
})

/** @throws Problem `OPTION_INVALID` (usage), when the config is loaded */
export function readOptions(options: PostgresOptions): Settings {
  const { databases, ...rest } = parseOptions('postgres', schema, options)
  const { from, recover } = rest
  const read = new Map(
    Object.entries(databases).map(([stage, spec]) => [stage, readDatabase(stage, spec)] as const),
  )
  if (!read.has(from)) {
    const known = [...read.keys()].join(', ')
    throw new Problem(
      'usage',
      'OPTION_INVALID',
      `the option 'from' of postgres() names the stage '${from}', which has no database`,
      {
        key: 'from',
        hint:
          known === ''
            ? "Add it: databases: { production: 'postgresql://…' }."
            : `There are databases for ${known}.`,
      },
    )
  }
  const unknown = recover.find((stage) => !read.has(stage))
  if (unknown !== undefined) {
    const message = `the option 'recover' of postgres() names the stage '${unknown}', which has no database`
    throw new Problem('usage', 'OPTION_INVALID', message, { key: 'recover' })
  }
  return {
    databases: read,
    ...rest,
    application: rest.application,
    keep: tidyKeep(rest.keep),
    store: rest.store,
  }
}

function tidyKeep(
  keep: { last?: number | undefined; days?: number | undefined; minimum?: number | undefined } | undefined,
): Keep | undefined {
  if (!keep) return undefined
  const { last, days, minimum } = keep
  return {
    ...(last !== undefined && { last }),
    ...(days !== undefined && { days }),
    ...(minimum !== undefined && { minimum }),
  }
}

function readDatabase(
  stage: string,
  spec: { readonly url: string; readonly password?: Secret | undefined; readonly via?: 'tunnel' | undefined },
): Database {
  try {
    const { connection, password } = parseDatabaseUrl(spec.url)
    return { connection, password: spec.password ?? password, tunnel: spec.via === 'tunnel' }
  } catch (error) {
    if (!isProblem(error)) throw error
    const message = `the option 'databases.${stage}' of postgres() is wrong: ${error.message}`
    throw new Problem('usage', 'OPTION_INVALID', message, { key: stage, hint: error.details.hint })
  }
}
