import * as z from 'zod'
import {
  isProblem,
  milliseconds,
  Problem,
  resolveOption,
  type Host,
  type HostSelector,
  type Stage,
} from '@deployfile/core'
import type { RestartStrategy } from '../restart/strategy.ts'
import { parseOptions } from '../option/parse-options.ts'
import { gitSource } from '../source/git.ts'
import type { Source } from '../source/source.ts'
import { isGit, ofStage, ofStageElsewhere } from './option-schema.ts'
import type { DeployOptions, LinkedFile, MigrationsCommand, OnUnhealthy, Verify } from './options.ts'

/** The options of one stage, checked. */
export interface StageOptions {
  readonly application: string
  readonly source: Source
  readonly deployTo: string
  readonly linkedFiles: readonly LinkedFile[]
  readonly user: string | undefined
  readonly env: Readonly<Record<string, string>> | undefined
  readonly umask: string | undefined
  readonly group: string | undefined
  readonly linkedDirs: readonly string[]
  readonly keepReleases: number
  readonly migrate: string | undefined
  readonly restart: RestartStrategy | string | undefined
  readonly verify: Verify | undefined
  readonly onUnhealthy: OnUnhealthy
  readonly failedReleases: 'remove' | 'keep'
  readonly rolledBack: 'archive' | 'keep'
  readonly migrations: string | MigrationsCommand | undefined
  readonly pendingMigrations: 'warn' | 'ask' | 'refuse'
  readonly maintenance: { readonly page: string | undefined; readonly path: string }
  readonly uploads: readonly string[]
  readonly lock: boolean
}

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

const batches = z.strictObject(
  {
    batch: z.union([z.number().int().min(1), z.string().regex(/^\d+(\.\d+)?%$/)]),
    wait: z.custom((value) => milliseconds(value) !== undefined).optional(),
  },
  "expected { batch: 2 } or { batch: '25%', wait: '10s' }",
)

const REQUIRED = ['application', 'repository', 'branch', 'deployTo'] as const
const OPTIONAL = [
  ...(['linkedFiles', 'linkedDirs', 'keepReleases', 'migrate', 'restart', 'verify', 'onUnhealthy'] as const),
  ...(['failedReleases', 'rolledBack', 'migrations', 'pendingMigrations', 'maintenance'] as const),
  ...(['uploads', 'lock', 'source', 'user', 'env', 'umask', 'group'] as const),
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
  // A table or a function may name git for some stages; then what it needs is asked for when the stage is chosen.
  const { source } = options
  const elsewhere = source !== undefined && !isGit(source)
  const { shape } = ofStage
  const now = KEYS.map((key) => {
    const own = elsewhere ? ofStageElsewhere.shape[key] : shape[key]
    return [key, isPlain(options[key]) ? own : later] as const
  })
  const schema = z.strictObject({
    ...Object.fromEntries(now),
    on: selector.optional(),
    migrateOn: primary.optional(),
    backup: backupTask.optional(),
    rolling: batches.optional(),
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
    const values: Readonly<Record<string, unknown>> = Object.fromEntries(resolved)
    const { migrate, restart, verify, migrations, maintenance, ...more } =
      values['source'] === undefined || isGit(values['source'])
        ? parseOptions('deploy', ofStage, values)
        : parseOptions('deploy', ofStageElsewhere, values)
    const { repository = '', branch = '', source: given, user, env, umask, group, ...rest } = more
    const source =
      given === undefined || isGit(given) ? gitSource(repository, branch, given?.options ?? {}) : given
    const { page, path } = maintenance
    return {
      ...rest,
      ...{ source, user, env, umask, group },
      migrate,
      restart,
      verify,
      migrations,
      maintenance: { page, path },
    }
  } catch (error) {
    if (!isProblem(error)) throw error
    const { message, code, details } = error
    throw new Problem('usage', code, `for the stage '${stage.name}', ${message}`, details)
  }
}

/** What `when` sees, as far as this recipe looks. */
export interface Planning {
  readonly task: string
  readonly stage: Stage
  readonly host?: Host
}

/** For `when` of every task of the recipe: checks the options of the stage, and lets it run. */
export type WhenReady = (context: Planning) => true
