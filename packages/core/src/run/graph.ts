import type { PlanEdge, PlanNode } from '../plan/plan.ts'

/** A plan's nodes by number, with neighbours: what scheduling needs, and nothing else. */
export interface Graph {
  readonly size: number
  readonly outgoing: readonly (readonly number[])[]
  readonly incoming: readonly (readonly number[])[]
}

export function toGraph(nodes: readonly PlanNode[], edges: readonly PlanEdge[]): Graph {
  const index = new Map(nodes.map((node, i) => [node.id, i]))
  const outgoing: number[][] = nodes.map(() => [])
  const incoming: number[][] = nodes.map(() => [])
  for (const edge of edges) {
    const from = index.get(edge.from)
    const to = index.get(edge.to)
    if (from === undefined || to === undefined)
      throw new Error(`the plan has no node for its edge ${edge.from} → ${edge.to}`)
    outgoing[from]?.push(to)
    incoming[to]?.push(from)
  }
  return { size: nodes.length, outgoing, incoming }
}

export function reversed(graph: Graph): Graph {
  return { size: graph.size, outgoing: graph.incoming, incoming: graph.outgoing }
}

/** Everything that the given nodes wait for, directly or not, themselves included. */
export function ancestors(graph: Graph, of: Iterable<number>): ReadonlySet<number> {
  const found = new Set<number>()
  const stack = [...of]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (found.has(node)) continue
    found.add(node)
    stack.push(...(graph.incoming[node] ?? []))
  }
  return found
}

/** How many nodes the longest path from each node has, itself included: what lies on it should start first. */
export function remainingPaths(graph: Graph): readonly number[] {
  const lengths = new Array<number>(graph.size).fill(1)
  const left = graph.outgoing.map((next) => next.length)
  const queue = left.flatMap((count, node) => (count === 0 ? [node] : []))
  // `queue` grows while it is walked.
  for (const node of queue) {
    for (const before of graph.incoming[node] ?? []) {
      lengths[before] = Math.max(lengths[before] ?? 1, (lengths[node] ?? 1) + 1)
      left[before] = (left[before] ?? 0) - 1
      if (left[before] === 0) queue.push(before)
    }
  }
  return lengths
}
