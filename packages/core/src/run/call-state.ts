import { placeOfCalled, type CalledNode, type CallPlan } from '../plan/call.ts'
import { toGraph } from './graph.ts'
import { newState, type NodeState } from './node-state.ts'
import type { NodeSet, RunState } from './run-state.ts'

/**
 * Adds the nodes of a call to a run. A node that is known by its id, from before a retry or another process, is the same node: what
 * ended well stays so, anything else waits to be entered again.
 */
export function addCalled(run: RunState, caller: NodeState, plan: CallPlan): NodeSet {
  const { calls } = run
  for (const [key, nodes] of Object.entries(plan.perHost)) {
    calls.perHost.set(key, nodes)
    run.gathered.delete(key)
  }
  const states = plan.nodes.map((node) => stateOf(run, caller, node))
  const numbers = new Map(states.map(({ node }, index) => [node.id, index]))
  for (const state of states) {
    const { id } = state.node
    const below = [...plan.edges, ...plan.uses].flatMap(({ from, to }) => (to === id ? [from] : []))
    calls.ground.set(state, new Set(below))
  }
  return { states, graph: toGraph(states.length, plan.edges, (id) => numbers.get(id)) }
}

function stateOf(run: RunState, caller: NodeState, node: CalledNode): NodeState {
  const known = run.byId.get(node.id)
  if (known) {
    const over = known.status === 'failed' || known.status === 'cancelled' || known.status === 'blocked'
    if (over && !known.abandoned) known.status = 'waiting'
    return known
  }
  const made = newState(run.options.catalog, node, { index: 0, afterStop: caller.afterStop, caller })
  run.byId.set(node.id, made)
  return made
}

/**
 * A called node is entered: from here on it may have to be undone, before all that was entered before it. One that is entered again,
 * because its caller was, keeps its place: what it had called the first time stands on it.
 */
export function noteStarted({ calls }: RunState, state: NodeState): void {
  calls.started.add(state)
}

/** Its id in a plan; for a planned node its own. */
export function placeOf({ node, caller }: NodeState): string {
  return caller ? placeOfCalled({ ...node, parent: caller.node.id }) : node.id
}

/** The node, what called it, what called that, and so on. */
export function callersOf(state: NodeState): readonly NodeState[] {
  const chain: NodeState[] = []
  for (let at: NodeState | undefined = state; at; at = at.caller) chain.push(at)
  return chain
}
