import type { NodeOutcome } from './outcome.ts'
import type { NodeState, RunState } from './run-state.ts'

/** By node id; onFailure tasks only when they had their turn. */
export function outcomesOf(run: RunState, failed: boolean): ReadonlyMap<string, NodeOutcome> {
  const outcomes = new Map<string, NodeOutcome>()
  const sets = failed ? [run.main, run.onFailure] : [run.main]
  for (const set of sets) for (const state of set?.states ?? []) outcomes.set(state.node.id, outcomeOf(state))
  return outcomes
}

function outcomeOf({ status, result, undone, abandoned }: NodeState): NodeOutcome {
  if (status === 'waiting' || status === 'running') throw new Error('a node of the plan was not settled')
  // The plain case apart: there is one of these for every node.
  if (undone === undefined && !abandoned) return result === undefined ? { status } : { status, result }
  return {
    status,
    ...(result !== undefined && { result }),
    ...(undone !== undefined && { undone }),
    ...(abandoned && { abandoned }),
  }
}
