import type { Catalog } from '../config/catalog.ts'
import { readNeed } from '../task/needs.ts'
import { makeTask, type AnyTask } from '../task/task.ts'

/** What comes into a plan with a task: what it hard-needs, and its hooks. */
export interface BroughtIn {
  readonly task: AnyTask
  readonly hook: boolean
}

/**
 * By name through the catalog, since an override may stand there in place of the task that a value is.
 */
export function bringsIn(catalog: Catalog, task: AnyTask): readonly BroughtIn[] {
  const brought: BroughtIn[] = []
  for (const value of Object.values(task['~task'].spec.needs)) {
    const need = readNeed(value)
    if (!need.optional) brought.push({ task: standing(catalog, need.task), hook: false })
  }
  for (const table of [catalog.before, catalog.after])
    for (const hook of table.get(task.name) ?? []) brought.push({ task: standing(catalog, hook), hook: true })
  return brought
}

/** The catalog's task of that name, with the input that the value binds. */
function standing(catalog: Catalog, value: AnyTask): AnyTask {
  const own = catalog.tasks.get(value.name)
  const { spec, bound } = value['~task']
  if (!own || own['~task'].spec === spec) return value
  return makeTask(own.name, own['~task'].spec, own['~task'].location, bound)
}

/** Everything that could come into a plan, whatever `when` says. */
export function closure(catalog: Catalog, requested: readonly AnyTask[]): readonly AnyTask[] {
  const found = new Map<string, AnyTask>()
  const stack = [...requested]
  for (let task = stack.pop(); task; task = stack.pop()) {
    if (found.has(task.name)) continue
    found.set(task.name, task)
    for (const { task: brought } of bringsIn(catalog, task)) stack.push(brought)
  }
  return [...found.values()]
}
