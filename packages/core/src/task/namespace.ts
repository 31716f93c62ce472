import { callerLocation } from '../problem/location.ts'
import { checkName } from './check-spec.ts'
import { readNeed } from './needs.ts'
import type { Recipe } from './recipe.ts'
import { makeTask, type All, type AnyTask, type Needs, type Optional, type Task } from './task.ts'

/** The tasks of a recipe under longer names: `deploy:release` is `api:deploy:release`; the properties stay. */
export type Namespaced<P extends string, T> = {
  readonly [K in keyof T]: T[K] extends Task<infer Name, infer In, infer R, infer A>
    ? Task<`${P}:${Name}`, In, R, A>
    : T[K]
}

/**
 * A recipe with a prefix before the names of all its tasks, in its own needs as well, so that a config can use it more than once.
 * What its tasks need from elsewhere (a task of the project) keeps its name and runs once for all.
 * @throws Problem `TASK_INVALID` (usage) for an impossible prefix
 */
export function namespace<const P extends string, T, S extends string>(
  prefix: P,
  recipe: Recipe<T, S>,
): Recipe<Namespaced<P, T>, S> {
  checkName(prefix, callerLocation())
  const own = recipe.tasks as Readonly<Record<string, AnyTask>>
  const renamed = rename(prefix, Object.values(own))
  const tasks = Object.fromEntries(
    Object.entries(own).map(([key, task]) => [key, renamedTask(task, renamed)]),
  )
  return { tasks: tasks as Namespaced<P, T>, '~stages': recipe['~stages'] }
}

type Renamed = ReadonlyMap<AnyTask['~task']['spec'], AnyTask>

/** The listed tasks, and those between them that are not listed: what needs a renamed task must be another task itself. */
function rename(prefix: string, listed: readonly AnyTask[]): Renamed {
  const own = new Set(listed.map((task) => task['~task'].spec))
  const renamed = new Map<AnyTask['~task']['spec'], AnyTask>()
  for (const task of needsFirst(listed)) {
    const { spec, location } = task['~task']
    const needs = Object.entries(spec.needs)
    if (!own.has(spec) && !needs.some(([, need]) => renamed.has(readNeed(need).task['~task'].spec))) continue
    const made = {
      ...spec,
      ...(spec.aliases && { aliases: spec.aliases.map((alias) => `${prefix}:${alias}`) }),
      needs: Object.fromEntries(needs.map(([key, need]) => [key, renamedNeed(need, renamed)])),
    }
    renamed.set(spec, makeTask(`${prefix}:${task.name}`, made, location, undefined))
  }
  return renamed
}

function renamedNeed(need: Needs[string], renamed: Renamed): Needs[string] {
  if ('~optional' in need) {
    return { '~optional': renamedNeed(need['~optional'] as AnyTask | All, renamed) } satisfies Optional
  }
  if ('~all' in need) {
    const task = renamedTask(need['~all'].task, renamed)
    return { all: task.name, '~all': { ...need['~all'], task } }
  }
  return renamedTask(need, renamed)
}

function renamedTask(task: AnyTask, renamed: Renamed): AnyTask {
  const known = renamed.get(task['~task'].spec)
  if (!known) return task
  const { spec, location } = known['~task']
  return makeTask(known.name, spec, location, task['~task'].bound)
}

/** Everything reachable, each after what it needs. A stack and not recursion: chains may be thousands deep. */
function needsFirst(listed: readonly AnyTask[]): readonly AnyTask[] {
  const ordered: AnyTask[] = []
  const entered = new Set<unknown>()
  const left = new Set<unknown>()
  const stack = [...listed].reverse()
  for (let task = stack.at(-1); task; task = stack.at(-1)) {
    const { spec } = task['~task']
    if (entered.has(spec)) {
      stack.pop()
      if (!left.has(spec)) ordered.push(task)
      left.add(spec)
      continue
    }
    entered.add(spec)
    for (const need of Object.values(spec.needs)) {
      const needed = readNeed(need).task
      if (!entered.has(needed['~task'].spec)) stack.push(needed)
    }
  }
  return ordered
}
