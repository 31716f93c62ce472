import { milliseconds, type Duration } from '@deployfile/core'
import * as z from 'zod'
import { faulty } from '../option/faulty.ts'
import { climbs, CONTROL, pathInside } from '../option/path.ts'
import type { RestartStrategy } from '../restart/strategy.ts'
import { branchFault, repositoryFault } from '../source/branch.ts'
import type { GitSource } from '../source/git.ts'
import type { Source } from '../source/source.ts'
import type { Verify } from './options.ts'

/** Where to deploy; a trailing slash is dropped, as Capistrano does. */
const deployTo = faulty((path) => {
  if (path.replaceAll('/', '') === '') return 'it would be the root of the file system'
  if (CONTROL.test(path)) return 'it contains control characters'
  if (path.startsWith('~'))
    return `a relative path is below the home already: write '${path.replace(/^~[^/]*\/?/, '')}'`
  if (path.startsWith('-')) return 'it starts with a dash'
  return climbs(path) ? `'.' and '..' are not allowed in it` : undefined
}).transform((path) => path.replaceAll(/\/+/g, '/').replace(/\/$/, ''))

const command = z.string().refine((text) => text.trim() !== '', 'a command cannot be empty')
const strategy = z.custom<RestartStrategy>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<RestartStrategy>).restart === 'function',
  'expected a strategy such as passenger(), or a command',
)

export const isGit = (value: unknown): value is GitSource =>
  typeof value === 'object' && value !== null && '~source' in value
const source = z.custom<Source | GitSource>(
  (value) => isGit(value) || (typeof value === 'object' && value !== null && 'settle' in value),
  'expected git({…}), directory({…}) or archive({…})',
)

const url = z.string().regex(/^https?:\/\/[^\s/]/, 'expected an address that begins with http:// or https://')
const duration = z.custom<Duration>(
  (value) => milliseconds(value) !== undefined,
  "expected a time: '10s', '2m'",
)
const verifySpec = z
  .strictObject({
    url: url.optional(),
    command: command.optional(),
    contains: z.string().min(1).optional(),
    revision: z.boolean().optional(),
    attempts: z.number().int().min(1).optional(),
    wait: duration.optional(),
    timeout: duration.optional(),
  })
  .refine((spec) => spec.url !== undefined || spec.command !== undefined, 'expected a url or a command')
  .refine(
    ({ url: asked, contains, revision }) => asked !== undefined || (contains ?? revision) === undefined,
    'contains and revision are about the answer of a url',
  )
const verify = z
  .union([command, verifySpec], { error: 'expected a URL, a command, or { url, … } or { command, … }' })
  .transform((given): Verify => {
    if (typeof given === 'object') return given as Verify
    return url.safeParse(given).success ? { url: given } : { command: given }
  })

/** As useradd(8) takes it; a leading dash or digit would be read as something else. */
const accountName = z.string().regex(/^[A-Za-z_][\w.-]*$/, 'expected the name of an account')

/** Folders that are linked whole; one inside another would be emptied by linking it. */
const linkedDirs = z.array(pathInside).superRefine((paths, context) => {
  const nested = paths.find((path) => paths.some((other) => path.startsWith(`${other}/`)))
  const message = `'${nested ?? ''}' is inside another linked folder; the outer one is enough`
  if (nested !== undefined) context.addIssue({ code: 'custom', message })
})

/** The options of one stage; without a repository and a branch where the source is no git. */
export const ofStage = z.strictObject({
  application: z.string().regex(/^[^\s/\p{Cc}]+$/u, 'an application is one word'),
  repository: faulty(repositoryFault),
  branch: faulty(branchFault),
  deployTo,
  source: source.optional(),
  linkedFiles: z
    .array(
      z.preprocess(
        (given) => (typeof given === 'string' ? { path: given } : given),
        z.strictObject({
          path: pathInside,
          optional: z.boolean().optional(),
          upload: z.string().min(1).optional(),
        }),
      ),
    )
    .default([]),
  user: accountName.optional(),
  group: accountName.optional(),
  env: z
    .record(z.string(), z.string())
    .refine(
      (env) => Object.keys(env).every((name) => /^[A-Za-z_]\w*$/.test(name)),
      'expected the name of a variable before each value',
    )
    .optional(),
  umask: z
    .string()
    .regex(/^0?[0-7]{3}$/, "expected three octal digits, such as '002'")
    .optional(),
  linkedDirs: linkedDirs.default([]),
  keepReleases: z.number().int().min(1, 'at least the live release is kept').default(5),
  migrate: command.optional(),
  restart: z.union([command, strategy]).optional(),
  verify: verify.optional(),
  onUnhealthy: z.enum(['rollback', 'rollback-despite-migrations', 'stop']).default('rollback'),
  failedReleases: z.enum(['remove', 'keep']).default('remove'),
  rolledBack: z.enum(['archive', 'keep']).default('archive'),
  migrations: z.union([pathInside, z.strictObject({ command })]).optional(),
  pendingMigrations: z.enum(['warn', 'ask', 'refuse']).default('warn'),
  maintenance: z
    .strictObject({
      page: z.string().min(1).optional(),
      path: pathInside.default('public/system/maintenance.html'),
    })
    .prefault({}),
  uploads: z.array(pathInside).default([]),
  lock: z.boolean().default(true),
})

export const ofStageElsewhere = ofStage.extend({
  repository: ofStage.shape.repository.optional(),
  branch: ofStage.shape.branch.optional(),
})
