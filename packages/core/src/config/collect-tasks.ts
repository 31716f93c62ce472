import type { SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import { readNeed } from '../task/needs.ts'
import { makeTask, type AnyTask } from '../task/task.ts'

/**
 * Everything reachable, by name and without bound input. What `listed` overrides takes the place of the task of its name.
 * @throws Problem `TASK_DOUBLE` or `OVERRIDE_INVALID` (usage)
 */
export function collectTasks(
  used: readonly AnyTask[],
  listed: readonly AnyTask[],
): ReadonlyMap<string, AnyTask> {
  const overrides = readOverrides(listed)
  const found = new Map<string, AnyTask>()
  // Names whose own task was met, and not only what overrides it.
  const met = new Set<string>()
  // A stack and not recursion, because a chain of needs may be thousands deep.
  const stack = [...used, ...listed].reverse()
  for (let task = stack.pop(); task; task = stack.pop()) {
    const known = found.get(task.name)
    const taking = overrides.get(task.name)
    const isOwn = !taking || task['~task'].spec !== taking['~task'].spec
    if (isOwn) met.add(task.name)
    const standing = taking && (!isOwn || isBaseOf(task, taking)) ? taking : task
    if (standing === task && isOwn && task['~task'].spec.overrides) throw notListed(task)
    if (known) {
      if (known['~task'].spec !== standing['~task'].spec) throw doubleName(task, known)
      continue
    }
    found.set(task.name, unbound(standing))
    for (const need of Object.values(standing['~task'].spec.needs)) stack.push(readNeed(need).task)
  }
  for (const [name, task] of overrides) {
    if (!met.has(name)) throw nothingToOverride(task)
  }
  return found
}

// A name on the command line takes the task itself, also where needs know it only with input.
function unbound(task: AnyTask): AnyTask {
  const { spec, location, bound } = task['~task']
  return bound === undefined ? task : makeTask(task.name, spec, location, undefined)
}

function readOverrides(listed: readonly AnyTask[]): ReadonlyMap<string, AnyTask> {
  const overrides = new Map<string, AnyTask>()
  for (const task of listed) {
    if (!task['~task'].spec.overrides) continue
    const other = overrides.get(task.name)
    if (other && other['~task'].spec !== task['~task'].spec) throw twoOverrides(task, other)
    overrides.set(task.name, task)
  }
  return overrides
}

/** Whether `taking` overrides `task`, itself or through an override in between. */
function isBaseOf(task: AnyTask, taking: AnyTask): boolean {
  for (let base = taking['~task'].spec.overrides; base; base = base['~task'].spec.overrides) {
    if (base['~task'].spec === task['~task'].spec) return true
  }
  return false
}

function placeOf(location: SourceLocation | undefined): string {
  return location ? ` The other one is at ${location.file}:${String(location.line)}.` : ''
}

function doubleName(task: AnyTask, other: AnyTask): Problem {
  return new Problem('usage', 'TASK_DOUBLE', `two different tasks are named '${task.name}'`, {
    location: task['~task'].location,
    hint: `Rename one of them.${placeOf(other['~task'].location)}`,
  })
}

function twoOverrides(task: AnyTask, other: AnyTask): Problem {
  return new Problem('usage', 'OVERRIDE_INVALID', `'${task.name}' is overridden twice`, {
    location: task['~task'].location,
    hint: `Make one override of both.${placeOf(other['~task'].location)}`,
  })
}

function nothingToOverride(task: AnyTask): Problem {
  return new Problem(
    'usage',
    'OVERRIDE_INVALID',
    `'${task.name}' is overridden, but the config does not have the task that is overridden`,
    {
      location: task['~task'].location,
      hint: 'Put its recipe into use, or the task itself into tasks too.',
    },
  )
}

function notListed(task: AnyTask): Problem {
  return new Problem(
    'usage',
    'OVERRIDE_INVALID',
    `the override of '${task.name}' is used, but is not in the config's tasks`,
    {
      location: task['~task'].location,
      hint: `Add it to tasks: it then takes the place of '${task.name}' everywhere.`,
    },
  )
}
