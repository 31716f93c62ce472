import * as z from 'zod'
import {
  isProblem,
  isSecret,
  mainIssue,
  Problem,
  valueFault,
  type Option,
  type Secret,
} from '@deployfile/core'
import { parseDatabaseUrl, type DumpChoices, type Keep } from '@deployfile/postgres'
import { parseOptions } from '../option/parse-options.ts'
import type { PostgresOptions, RestoreSpec, Store } from './options.ts'
import type { Database, Settings } from './settings.ts'

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
  jobs: z.int().min(1).max(64).optional(),
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
