import type { NodeOutcome, RunOutcome } from './outcome.ts'
import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/** By node id; onFailure tasks only when they had their turn. */
export function outcomesOf(run: RunState, failed: boolean): ReadonlyMap<string, NodeOutcome> {
  const outcomes = new Map<string, NodeOutcome>()
  const sets = failed ? [run.main, run.onFailure] : [run.main]
  for (const set of sets) for (const state of set?.states ?? []) outcomes.set(state.node.id, outcomeOf(state))
  for (const state of run.calls.started) outcomes.set(state.node.id, outcomeOf(state))
  return outcomes
}

/** For a {@link RunOutcome}: the nodes that were called, in the order of their starts. */
export function calledOf({ calls }: RunState): Pick<RunOutcome, 'called'> {
  const called = [...calls.started].flatMap(({ node, caller }) =>
    caller ? [{ ...node, parent: caller.node.id }] : [],
  )
  return called.length === 0 ? {} : { called }
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
