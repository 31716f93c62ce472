import type { PlanEdge } from '../plan/plan.ts'
import { toGraph, type Graph } from './graph.ts'
import type { NodeState } from './node-state.ts'
import type { NodeSet, RunState } from './run-state.ts'

/** Nodes in an order that takes them back, and what each stands on: what it needs, without who called it and what was called before. */
export interface WithCalled extends NodeSet {
  readonly ground: Graph
}

/**
 * Nodes with all that was called from them, in an order that takes them back: a called node stands between its caller and what waited
 * for that, the newest last; and on what its own needs gave it, wherever that ran. All of these had started before it, so there is
 * no circle. The same set where nothing was called.
 */
export function withCalled(run: RunState, set: NodeSet, edges: readonly PlanEdge[]): WithCalled {
  const { calls } = run
  const called = [...calls.started].filter((state) => state.afterStop === set.states[0]?.afterStop)
  if (called.length === 0) return { ...set, ground: set.graph }
  const states = [...set.states, ...called]
  const numbers = new Map(states.map(({ node }, index) => [node.id, index]))
  const last = new Map<NodeState, NodeState>()
  const [calling, needed]: [PlanEdge[], PlanEdge[]] = [[], []]
  const add = (edges: PlanEdge[], from: string, to: string): void => {
    if (numbers.has(from) && numbers.has(to)) edges.push({ from, to, kind: 'success', reason: WHOLE })
  }
  // Only on what had started before it, so that no circle can keep anything from being undone.
  const placed = new Set(set.states.map(({ node }) => node.id))
  for (const state of called) {
    const root = rootOf(state)
    add(calling, (last.get(root) ?? root).node.id, state.node.id)
    last.set(root, state)
    for (const below of calls.ground.get(state) ?? []) {
      const real = calls.reused.get(below) ?? below
      if (placed.has(real)) add(needed, real, state.node.id)
    }
    placed.add(state.node.id)
  }
  const newest = new Map([...last].map(([root, state]) => [root.node.id, state.node.id]))
  const after = edges.flatMap((edge) => {
    const from = newest.get(edge.from)
    return from === undefined ? [] : [{ ...edge, from }]
  })
  const toNumbers = (all: readonly PlanEdge[]): Graph => toGraph(states.length, all, (id) => numbers.get(id))
  return {
    states,
    graph: toNumbers([...edges, ...calling, ...needed, ...after]),
    ground: toNumbers([...edges, ...needed]),
  }
}

const WHOLE = { type: 'structure' } as const

/** The planned node from whose body a called one came in the end. */
export function rootOf(state: NodeState): NodeState {
  let at = state
  while (at.caller) at = at.caller
  return at
}
