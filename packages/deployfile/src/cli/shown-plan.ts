import type { Catalog, Plan } from '@deployfile/core'

/**
 * The plan as a run shows it. A task without a description is a part of others that nobody knows by name: where `when` has left it out
 * while planning, there is nothing to see of it. `--plan` and `--verbose` show it, and the events have it.
 */
export function shownPlan(plan: Plan, catalog: Catalog, verbose: boolean): Plan {
  if (verbose) return plan
  const nodes = plan.nodes.filter(({ task, skip }) => {
    const known = plan.requested.includes(task) || catalog.tasks.get(task)?.desc !== undefined
    return skip === undefined || known
  })
  return nodes.length === plan.nodes.length ? plan : { ...plan, nodes }
}
