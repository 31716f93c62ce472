import { statSync } from 'node:fs'
import path from 'node:path'
import {
  isConfig,
  loadCatalog,
  Problem,
  resolvePlan,
  type AnyTask,
  type Config,
  type Plan,
} from '@deployfile/core'
import type { Place } from './work.ts'

/** What to plan. */
export interface PlanOptions {
  /** Default: the config's `defaultStage`. */
  readonly stage?: string
  /** Names or task values, in order; a value may bring its input: `build.with({ mode: 'dev' })`. */
  readonly tasks: readonly (string | AnyTask)[]
  /** As `key=value` on the command line, `task.key` too. What is not text, a number or a boolean is given by `.with`. */
  readonly inputs?: Readonly<Record<string, string | number | boolean>>
  /** As `--hosts`: only these hosts of the stage; with `roles`, those of them that have one. */
  readonly hosts?: readonly string[]
  /** As `--roles`: only hosts of the stage that have one of these roles. */
  readonly roles?: readonly string[]
  /** As `--skip`: names of tasks that are left out, with what only they need. */
  readonly skip?: readonly string[]
  /**
   * Where a config's path starts (default: where the process is). For a config value: where its tasks' relative paths start and
   * `.deployfile` stands (default: the folder of the file that called `defineConfig`).
   */
  readonly cwd?: string
}

export interface Planned extends Place {
  readonly plan: Plan
}

/**
 * Loads a config (the path of a file, of a folder in or below one that has a config, or what `defineConfig` returned) and makes the plan; connects to nothing.
 * @throws Problem (usage) for whatever the command line would refuse with exit code 2
 */
export async function makePlan(config: Config | string, options: PlanOptions): Promise<Planned> {
  const { stage, tasks, inputs = {}, hosts, roles, skip } = options
  if (tasks.length === 0) {
    throw new Problem('usage', 'TASK_MISSING', 'no task was named', {
      hint: "Say what to run: tasks: ['deploy']",
    })
  }
  const place = await findPlace(config, options.cwd)
  const texts = Object.fromEntries(Object.entries(inputs).map(([key, input]) => [key, String(input)]))
  return { ...place, plan: resolvePlan(place.catalog, { stage, tasks, inputs: texts, hosts, roles, skip }) }
}

/**
 * Loads a config, and says where its runs are kept.
 * @throws Problem (usage)
 */
export async function findPlace(config: Config | string, cwd: string | undefined): Promise<Place> {
  const { value, file, root } = await readConfig(config, cwd)
  return { catalog: loadCatalog(value), config: file, root }
}

async function readConfig(
  config: Config | string,
  cwd: string | undefined,
): Promise<{ readonly value: Config; readonly file: string | undefined; readonly root: string }> {
  if (typeof config === 'string') {
    const file = await configFile(path.resolve(cwd ?? process.cwd(), config))
    // The loader can read TypeScript on any Node; a program that has its config already needs none of it.
    const { loadConfig } = await import('../config/load.ts')
    return { value: (await loadConfig(file)).config, file, root: path.dirname(file) }
  }
  if (isConfig(config)) {
    const declaredIn = config.location && path.dirname(config.location.file)
    const root = path.resolve(cwd ?? declaredIn ?? process.cwd())
    return { value: config, file: config.location?.file, root }
  }
  throw new Problem('usage', 'CONFIG_INVALID', 'the config is neither a path nor what defineConfig returns', {
    hint: 'Give the default export of a deploy.config.ts, or the path of one.',
  })
}

async function configFile(named: string): Promise<string> {
  const stat = statSync(named, { throwIfNoEntry: false })
  if (!stat) {
    throw new Problem('usage', 'CONFIG_MISSING', `the config ${named} does not exist`, {
      hint: 'Check the path: it starts from `cwd`, or from where the process is.',
    })
  }
  if (!stat.isDirectory()) return named
  const { findConfig } = await import('../config/find.ts')
  return findConfig(named)
}
