import * as z from 'zod'
import { isProblem, isSecret, Problem, type Secret, type Stage } from '@deployfile/core'
import { parseDatabaseUrl, type Connection, type Password } from '@deployfile/postgres'
import { parseOptions } from '../option/parse-options.ts'

/** A database of one stage, as its primary db host sees it. */
export interface DatabaseSpec {
  /** As libpq takes it: `postgresql://app@/app_production` (this machine's socket), `postgresql://app@10.0.0.5:5432/app`. */
  readonly url: string
  /** `secret.env('…')`. Default: what the host knows by itself (peer, ~/.pgpass). */
  readonly password?: Secret
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
}

/** A database of the options, its URL read. */
export interface Database {
  readonly connection: Connection
  readonly password: Password | undefined
}

export interface Settings {
  readonly databases: ReadonlyMap<string, Database>
  readonly from: string
  readonly application: string | undefined
  readonly backups: string
}

const CONTROL = /[\u0000-\u001f\u007f]/

const schema = z.strictObject({
  databases: z.record(
    z.string(),
    z.preprocess(
      (value) => (typeof value === 'string' ? { url: value } : value),
      z.strictObject({
        url: z.string('a database is a URL, or { url, password }'),
        password: z
          .custom<Secret>(isSecret, "a password is given as secret.env('…'), so that it is written nowhere")
          .optional(),
      }),
    ),
  ),
  from: z.string(),
  application: z.string().min(1, 'it is empty').optional(),
  backups: z
    .string()
    .refine((path) => path !== '' && !CONTROL.test(path), 'it is not the path of a folder')
    .refine((path) => !path.startsWith('~'), 'a relative path is below the home of a remote host already')
    .refine((path) => !path.split('/').includes('..'), "'..' is not allowed in it")
    .default('.deployfile/backups'),
})

/** @throws Problem `OPTION_INVALID` (usage), when the config is loaded */
export function readOptions(options: PostgresOptions): Settings {
  const { databases, from, application, backups } = parseOptions('postgres', schema, options)
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
  return { databases: read, from, application, backups }
}

function readDatabase(
  stage: string,
  spec: { readonly url: string; readonly password?: Secret | undefined },
): Database {
  try {
    const { connection, password } = parseDatabaseUrl(spec.url)
    return { connection, password: spec.password ?? password }
  } catch (error) {
    if (!isProblem(error)) throw error
    const message = `the option 'databases.${stage}' of postgres() is wrong: ${error.message}`
    throw new Problem('usage', 'OPTION_INVALID', message, { key: stage, hint: error.details.hint })
  }
}

/** @throws Problem `DATABASE_NO_STAGE` (usage) */
export function databaseOf(settings: Settings, stage: Stage): Database {
  const database = settings.databases.get(stage.name)
  if (database) return database
  throw new Problem(
    'usage',
    'DATABASE_NO_STAGE',
    `the stage '${stage.name}' has no database in postgres({ databases })`,
    {
      hint: `Databases are known for ${[...settings.databases.keys()].join(', ')}.`,
    },
  )
}

/** For `when` of tasks that only read: a stage without a database is said before anything is connected. */
export function hasDatabase(settings: Settings): (context: { readonly stage: Stage }) => true {
  return ({ stage }) => {
    databaseOf(settings, stage)
    return true
  }
}
