import { canonicalJson } from '../node-id.ts'
import { listed } from '../listed.ts'
import { shown } from './outline.ts'
import type { PlanSource, RequestedTask } from '../source.ts'

/** Other tasks, another order, other filters. Other inputs are told by what they do to the tasks that take them. */
export function requestChanges(before: PlanSource, after: PlanSource): readonly string[] {
  return [...taskChange(before, after), ...filterChanges(before, after)]
}

const FILTERS = ['hosts', 'roles', 'skip'] as const

function filterChanges(before: PlanSource, after: PlanSource): readonly string[] {
  return FILTERS.flatMap((filter) =>
    canonicalJson(before[filter] ?? null) === canonicalJson(after[filter] ?? null)
      ? []
      : [`--${filter} was ${named(before[filter])}, and is now ${named(after[filter])}.`],
  )
}

function named(names: readonly string[] | undefined): string {
  return names ? listed(names, 10) : 'not given'
}

function taskChange(before: PlanSource, after: PlanSource): readonly string[] {
  if (canonicalJson(before.tasks) === canonicalJson(after.tasks)) return []
  return [`What was asked for was ${nameAll(before.tasks)}, and is now ${nameAll(after.tasks)}.`]
}

function nameAll(tasks: readonly RequestedTask[]): string {
  return listed(tasks.map(({ name, input }) => `'${name}${input === undefined ? '' : shown(input)}'`))
}
