import { canonicalJson } from './node-id.ts'
import { listed, shown } from './outline.ts'
import type { PlanSource, RequestedTask } from './request.ts'

/** Other tasks, other order. Other inputs are told by what they do to the tasks that take them. */
export function requestChanges(before: PlanSource, after: PlanSource): readonly string[] {
  if (canonicalJson(before.tasks) === canonicalJson(after.tasks)) return []
  return [`What was asked for was ${nameAll(before.tasks)}, and is now ${nameAll(after.tasks)}.`]
}

function nameAll(tasks: readonly RequestedTask[]): string {
  return listed(tasks.map(({ name, input }) => `'${name}${input === undefined ? '' : shown(input)}'`))
}
