import type { PlanNode } from '../plan/plan.ts'
import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/**
 * Whether a failure of a node leaves the run going. `onError: 'warn'` does; with `rolling.maxFail` it does on so many hosts, each
 * counted once, whatever of the task and of its hooks failed there and also when it may still be running; and one host more fails the
 * run. Counted from what the nodes have become, so that a resumed run goes on counting.
 */
export function onlyWarns(run: RunState, { node, spec }: NodeState): boolean {
  const { tolerance } = node
  if (tolerance === undefined) return spec.onError === 'warn'
  const hosts = new Set([placeOf(node)])
  for (const { node: other, status } of run.main.states)
    if (status === 'warned' && other.tolerance?.group === tolerance.group) hosts.add(placeOf(other))
  return hosts.size <= tolerance.max
}

function placeOf({ stage, host = '' }: PlanNode): string {
  return `${stage}/${host}`
}
