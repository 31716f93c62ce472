import * as z from 'zod'
import {
  isProblem,
  milliseconds,
  Problem,
  resolveOption,
  type Duration,
  type Host,
  type HostSelector,
  type OnPick,
  type Option,
  type PerStage,
  type Stage,
  type Task,
} from '@deployfile/core'
import { branchFault, repositoryFault } from '../source/branch.ts'
import type { RestartStrategy } from '../restart/strategy.ts'
import { parseOptions } from '../option/parse-options.ts'
import type { MigrateTask, NoInput, TasksBeforeMigrate } from './tasks.ts'
import type { Verify } from './verify.ts'

/** Options of {@link deploy}. A per-stage one is a value, `perStage({…})`, or a function of the stage (and of the host). */
export interface DeployOptions<S extends string = string> {
  readonly application: Option<string, S>
  /** As git takes it, seen from the hosts: `git@git.example.com:app.git`, `https://…`, `file:///…`. */
  readonly repository: Option<string, S>
  /** A branch, a tag, or a full commit hash. */
  readonly branch: Option<string, S>
  /** Absolute, or relative to the login's home (on a local host: to its root). */
  readonly deployTo: Option<string, S>
  /** Files that live in `shared` and are linked into each release: `config/database.yml`. Default none. */
  readonly linkedFiles?: Option<readonly string[], S>
  /** Folders that live in `shared`: `log`, `public/system`. Made when absent. Default none. */
  readonly linkedDirs?: Option<readonly string[], S>
  /** Good releases that cleanup leaves. Default 5. */
  readonly keepReleases?: Option<number, S>
  /** A command that `deploy:migrate` runs in the release, or a function that makes the task `deploy:migrate`. */
  readonly migrate?: string | PerStage<S, string> | ((tasks: TasksBeforeMigrate) => MigrateTask)
  /** A strategy such as `passenger()`, or a command that is run in `current`. Default: nothing is restarted. */
  readonly restart?: Option<RestartStrategy | string, S>
  /**
   * What must be well after a restart, tried again and again until it is: a URL (asked from this machine), a command (run on each host
   * in `current`), or `{ url, revision: true }` and the like. Default: nothing.
   */
  readonly verify?: Option<string | Verify, S>
  /**
   * When restart or verify fails after the flip: 'rollback' (default) goes back on every host, unless migrations ran in this run;
   * 'rollback-despite-migrations' goes back in any case; 'stop' leaves every host on the new release. A flip that fails on one host
   * always goes back on all.
   */
  readonly onUnhealthy?: Option<OnUnhealthy, S>
  /** What becomes of a release whose deploy failed: 'remove' (default), or 'keep' under the name `.<release>.failed`. */
  readonly failedReleases?: Option<'remove' | 'keep', S>
  /**
   * What becomes of a release that was rolled back: 'archive' (default) packs it into `rolled-back-release-<name>.tar.gz` and removes
   * it, as Capistrano does; 'keep' leaves it.
   */
  readonly rolledBack?: Option<'archive' | 'keep', S>
  /** Run right before `deploy:migrate`, in `deploy:migrations`: `db.tasks.create`. When something fails later, its file is named. */
  readonly backup?: Task<string, NoInput, unknown, 'primary' | 'once'>
  /**
   * One deploy at a time: the others end with exit code 3, or wait (`--lock-wait`). The lock is on the first host that gets the
   * application. Default true.
   */
  readonly lock?: Option<boolean, S>
  /** The hosts that get the application. Default: every host of the stage. */
  readonly on?: HostSelector
  /** Where `deploy:migrate` runs. Default: the primary host of role `db` among those that get the application. */
  readonly migrateOn?: OnPick & { readonly pick: 'primary' }
}

export type OnUnhealthy = 'rollback' | 'rollback-despite-migrations' | 'stop'

/** The options of one stage, checked. */
export interface StageOptions {
  readonly application: string
  readonly repository: string
  readonly branch: string
  readonly deployTo: string
  readonly linkedFiles: readonly string[]
  readonly linkedDirs: readonly string[]
  readonly keepReleases: number
  readonly migrate: string | undefined
  readonly restart: RestartStrategy | string | undefined
  readonly verify: Verify | undefined
  readonly onUnhealthy: OnUnhealthy
  readonly failedReleases: 'remove' | 'keep'
  readonly rolledBack: 'archive' | 'keep'
  readonly lock: boolean
}

const faulty = (fault: (text: string) => string | undefined): z.ZodType<string> =>
  z.string().superRefine((text, context) => {
    const message = fault(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

const CONTROL = /[\u0000-\u001f\u007f]/
const climbs = (path: string): boolean => path.split('/').some((part) => part === '..' || part === '.')

/** Where to deploy; a trailing slash is dropped, as Capistrano does. */
const deployTo = faulty((path) => {
  if (path.replaceAll('/', '') === '') return 'it would be the root of the file system'
  if (CONTROL.test(path)) return 'it contains control characters'
  if (path.startsWith('~'))
    return `a relative path is below the home already: write '${path.replace(/^~[^/]*\/?/, '')}'`
  if (path.startsWith('-')) return 'it starts with a dash'
  return climbs(path) ? `'.' and '..' are not allowed in it` : undefined
}).transform((path) => path.replaceAll(/\/+/g, '/').replace(/\/$/, ''))

/** A path inside a release. */
const inside = faulty((path) => {
  if (path === '' || path.startsWith('/') || path.endsWith('/'))
    return `'${path}' is not a path inside a release, such as config/database.yml`
  if (CONTROL.test(path)) return `${JSON.stringify(path)} contains control characters`
  if (path.startsWith('-')) return `'${path}' starts with a dash`
  return climbs(path) || path.includes('//') ? `'${path}' has an empty, '.' or '..' part` : undefined
})

const command = z.string().refine((text) => text.trim() !== '', 'a command cannot be empty')
const strategy = z.custom<RestartStrategy>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<RestartStrategy>).restart === 'function',
  'expected a strategy such as passenger(), or a command',
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

/** Folders that are linked whole; one inside another would be emptied by linking it. */
const linkedDirs = z.array(inside).superRefine((paths, context) => {
  const nested = paths.find((path) => paths.some((other) => path.startsWith(`${other}/`)))
  const message = `'${nested ?? ''}' is inside another linked folder; the outer one is enough`
  if (nested !== undefined) context.addIssue({ code: 'custom', message })
})

const ofStage = z.strictObject({
  application: z.string().regex(/^[^\s/]+$/, 'an application is one word'),
  repository: faulty(repositoryFault),
  branch: faulty(branchFault),
  deployTo,
  linkedFiles: z.array(inside).default([]),
  linkedDirs: linkedDirs.default([]),
  keepReleases: z.number().int().min(1, 'at least the live release is kept').default(5),
  migrate: command.optional(),
  restart: z.union([command, strategy]).optional(),
  verify: verify.optional(),
  onUnhealthy: z.enum(['rollback', 'rollback-despite-migrations', 'stop']).default('rollback'),
  failedReleases: z.enum(['remove', 'keep']).default('remove'),
  rolledBack: z.enum(['archive', 'keep']).default('archive'),
  lock: z.boolean().default(true),
})

// `where(…)` is known by a symbol of core; a bare function is the mistake that matters here.
const selector = z.custom<HostSelector>(
  (value) => (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null),
  'expected a role, several roles, or where(host => …)',
)
const primary = z.strictObject(
  { role: selector, pick: z.literal('primary') },
  "expected { role: …, pick: 'primary' }",
)

const backupTask = z.custom<DeployOptions['backup']>(
  (value) => typeof value === 'object' && value !== null && '~task' in value,
  'expected a task, such as db.tasks.create of postgres()',
)

const REQUIRED = ['application', 'repository', 'branch', 'deployTo'] as const
const OPTIONAL = [
  ...(['linkedFiles', 'linkedDirs', 'keepReleases', 'migrate', 'restart', 'verify', 'onUnhealthy'] as const),
  ...(['failedReleases', 'rolledBack', 'lock'] as const),
] as const
const KEYS = [...REQUIRED, ...OPTIONAL]

/** Is it the same for every stage, so that it can be checked as soon as it is written? */
const isPlain = (option: unknown): boolean =>
  typeof option !== 'function' && !(typeof option === 'object' && option !== null && '~perStage' in option)

/**
 * Checks what does not depend on the stage: unknown and missing keys, and plain values.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function checkOptions(options: DeployOptions): void {
  const later = z.custom<unknown>((value) => value !== undefined, 'is missing')
  const { shape } = ofStage
  const now = KEYS.map((key) => [key, isPlain(options[key]) ? shape[key] : later] as const)
  const schema = z.strictObject({
    ...Object.fromEntries(now),
    on: selector.optional(),
    migrateOn: primary.optional(),
    backup: backupTask.optional(),
  })
  parseOptions('deploy', schema, options)
}

/**
 * The options for a stage; `host` matters to `deployTo` only.
 * @throws Problem `OPTION_INVALID` or `OPTION_NO_STAGE` (usage)
 */
export function stageOptions(options: DeployOptions, stage: Stage, host?: Host): StageOptions {
  const resolved = KEYS.flatMap((key) => {
    const option: unknown = options[key]
    if (option === undefined || (key === 'migrate' && typeof option === 'function')) return []
    return [[key, resolveOption<unknown>(key, option, stage, host)] as const]
  })
  try {
    const { migrate, restart, verify, ...rest } = parseOptions(
      'deploy',
      ofStage,
      Object.fromEntries(resolved),
    )
    return { ...rest, migrate, restart, verify }
  } catch (error) {
    if (!isProblem(error)) throw error
    const { message, code, details } = error
    throw new Problem('usage', code, `for the stage '${stage.name}', ${message}`, details)
  }
}

/** What `when` sees, as far as this recipe looks. */
export interface Planning {
  readonly stage: Stage
  readonly host?: Host
}

/** For `when` of every task of the recipe: checks the options of the stage, and lets it run. */
export type WhenReady = (context: Planning) => true
