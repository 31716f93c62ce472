import { hostFrom } from '../host/host.ts'
import { normalizeOn, rolesOf } from '../host/on.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import { milliseconds } from '../task/duration.ts'
import type { AnyTask } from '../task/task.ts'
import type { Catalog, StageEntry } from './catalog.ts'
import { readAliases } from './aliases.ts'
import { collectTasks } from './collect-tasks.ts'
import { checkConfig, type CheckedConfig } from './config-schema.ts'
import type { Config } from './config.ts'
import { BUILT_IN_WORDS, GLOBAL_KEYS } from './reserved.ts'

/**
 * Checks a config whole and indexes it.
 * @throws Problem `CONFIG_INVALID` or `TASK_DOUBLE` (usage) with the key and place of the first mistake
 */
export function loadCatalog(config: Config): Catalog {
  const checked = checkConfig(config.source, config.location)
  const fail = (message: string, key: string, hint?: string): never => {
    throw new Problem('usage', 'CONFIG_INVALID', message, { location: config.location, key, hint })
  }
  const stages = readStages(checked)
  for (const name of stages.keys()) {
    if (BUILT_IN_WORDS.includes(name))
      fail(`a stage cannot be named '${name}': that word is a command of deployfile`, name)
  }
  const { defaultStage } = checked
  if (defaultStage !== undefined && !stages.has(defaultStage)) {
    fail(
      `defaultStage names the unknown stage '${defaultStage}'`,
      'defaultStage',
      suggestOrList(defaultStage, [...stages.keys()], 'stages'),
    )
  }
  const before = readHooks(checked.before)
  const after = readHooks(checked.after)
  const recipes = (checked.use ?? []).flatMap((used) => Object.values(used.tasks as Record<string, AnyTask>))
  const onFailure = checked.onFailure ?? []
  const hooks = [...before.values(), ...after.values(), onFailure].flat()
  const tasks = collectTasks([...recipes, ...hooks], checked.tasks ?? [])
  const aliases = readAliases(tasks)
  for (const [when, table] of [
    ['before', before],
    ['after', after],
  ] as const) {
    for (const name of table.keys()) {
      const of = aliases.get(name)
      if (of !== undefined) {
        fail(
          `${when} names '${name}', an alias of '${of}'`,
          name,
          `Hooks go by a task's own name: write '${of}'.`,
        )
      }
      if (!tasks.has(name))
        fail(
          `${when} names the unknown task '${name}'`,
          name,
          suggestOrList(name, [...tasks.keys()], undefined),
        )
    }
  }
  for (const task of tasks.values()) checkTask(task, stages)
  const pools = new Map(Object.entries(checked.pools ?? {}))
  const locks = new Set([...tasks.values()].flatMap((task) => task['~task'].spec.lock ?? []))
  for (const name of pools.keys()) {
    if (!locks.has(name))
      fail(
        `pools names the lock '${name}', which no task has`,
        name,
        suggestOrList(name, [...locks], 'locks'),
      )
  }
  const grace = milliseconds(checked.grace) ?? 10_000
  return { tasks, aliases, stages, defaultStage, before, after, onFailure, pools, grace }
}

function readStages(config: CheckedConfig): ReadonlyMap<string, StageEntry> {
  const stages = new Map<string, StageEntry>()
  for (const [name, { protected: isProtected = false, hostKeys, hosts }] of Object.entries(config.stages)) {
    const entries = Object.entries(hosts).map(([host, spec]) => hostFrom(name, host, spec, hostKeys))
    stages.set(name, { stage: Object.freeze({ name, protected: isProtected }), hosts: entries })
  }
  return stages
}

function readHooks(table: CheckedConfig['before']): ReadonlyMap<string, readonly AnyTask[]> {
  return new Map(Object.entries(table ?? {}).map(([name, hooks = []]) => [name, hooks] as const))
}

function checkTask(task: AnyTask, stages: ReadonlyMap<string, StageEntry>): void {
  const { spec, location } = task['~task']
  const fail = (message: string, hint?: string): never => {
    throw new Problem('usage', 'CONFIG_INVALID', message, { location, hint })
  }
  if (BUILT_IN_WORDS.includes(task.name))
    fail(`a task cannot be named '${task.name}': that word is a command of deployfile`)
  for (const key of inputKeys(spec.input)) {
    if (GLOBAL_KEYS.includes(key))
      fail(`the task '${task.name}' cannot have the input '${key}': it means the same on every command line`)
  }
  if (spec.on === undefined) return
  const { stage } = normalizeOn(spec.on)
  if (stage !== undefined && !stages.has(stage)) {
    fail(
      `the task '${task.name}' runs on the unknown stage '${stage}'`,
      suggestOrList(stage, [...stages.keys()], 'stages'),
    )
  }
  // A task that may go without hosts may also name a role that this project does not have.
  if (spec.onNoHost === 'skip') return
  const known = new Set([...stages.values()].flatMap(({ hosts }) => hosts.flatMap(({ roles }) => roles)))
  for (const role of rolesOf(spec.on)) {
    if (!known.has(role))
      fail(
        `the task '${task.name}' runs on the role '${role}', which no host of any stage has`,
        suggestOrList(role, [...known], 'roles'),
      )
  }
}

// Only zod tells the keys of an object without being asked to convert it.
function inputKeys(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null || !('shape' in schema)) return []
  return Object.keys(schema.shape as object)
}

function suggestOrList(
  word: string,
  known: readonly string[],
  plural: string | undefined,
): string | undefined {
  const all =
    known.length === 0 ? `There are no ${plural ?? ''}.` : `The ${plural ?? ''} are: ${known.join(', ')}.`
  return didYouMean(word, known) ?? (plural === undefined ? undefined : all)
}
