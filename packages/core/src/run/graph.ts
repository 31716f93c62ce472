import type { PlanEdge } from '../plan/plan.ts'

/** Neighbours of nodes by number: those of node n stand in `nodes` from `starts[n]` up to `starts[n + 1]`. */
export interface Neighbours {
  readonly starts: Int32Array
  readonly nodes: Int32Array
  /** Beside `nodes`: 1 where the edge is a 'success' one. */
  readonly success: Uint8Array
}

/** A plan's edges by number: what scheduling needs, and nothing else. In typed arrays, because a plan may have a million edges. */
export interface Graph {
  readonly size: number
  readonly outgoing: Neighbours
  readonly incoming: Neighbours
}

/** @throws Error when an edge names a node that `indexOf` does not know */
export function toGraph(
  size: number,
  edges: readonly PlanEdge[],
  indexOf: (id: string) => number | undefined,
): Graph {
  const from = new Int32Array(edges.length)
  const to = new Int32Array(edges.length)
  const success = new Uint8Array(edges.length)
  for (const [number, edge] of edges.entries()) {
    const start = indexOf(edge.from)
    const end = indexOf(edge.to)
    if (start === undefined || end === undefined)
      throw new Error(`the plan has no node for its edge ${edge.from} → ${edge.to}`)
    from[number] = start
    to[number] = end
    success[number] = edge.kind === 'success' ? 1 : 0
  }
  return {
    size,
    outgoing: neighbours(size, from, to, success),
    incoming: neighbours(size, to, from, success),
  }
}

/** A counting sort by `of`; edges of one node keep their order. */
function neighbours(size: number, of: Int32Array, other: Int32Array, kinds: Uint8Array): Neighbours {
  const starts = new Int32Array(size + 1)
  for (const node of of) starts[node + 1] = (starts[node + 1] ?? 0) + 1
  for (let node = 0; node < size; node++) starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0)
  const next = starts.slice()
  const nodes = new Int32Array(of.length)
  const success = new Uint8Array(of.length)
  for (let edge = 0; edge < of.length; edge++) {
    const node = of[edge] ?? 0
    const at = next[node] ?? 0
    next[node] = at + 1
    nodes[at] = other[edge] ?? 0
    success[at] = kinds[edge] ?? 0
  }
  return { starts, nodes, success }
}

export function reversed(graph: Graph): Graph {
  return { size: graph.size, outgoing: graph.incoming, incoming: graph.outgoing }
}

/** Everything that the given nodes wait for, directly or not, themselves included; with `success`, along such edges only. */
export function ancestors(
  graph: Graph,
  of: Iterable<number>,
  only: 'success' | 'all' = 'all',
): ReadonlySet<number> {
  const { starts, nodes, success } = graph.incoming
  const found = new Set<number>()
  const stack = [...of]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (found.has(node)) continue
    found.add(node)
    for (let at = starts[node] ?? 0; at < (starts[node + 1] ?? 0); at++)
      if (only === 'all' || success[at] === 1) stack.push(nodes[at] ?? 0)
  }
  return found
}

/** How many nodes the longest path from each node has, itself included: what lies on it should start first. */
export function remainingPaths({ size, outgoing, incoming }: Graph): Int32Array {
  const lengths = new Int32Array(size).fill(1)
  const left = new Int32Array(size)
  const queue = new Int32Array(size)
  let queued = 0
  for (let node = 0; node < size; node++) {
    left[node] = (outgoing.starts[node + 1] ?? 0) - (outgoing.starts[node] ?? 0)
    if (left[node] === 0) queue[queued++] = node
  }
  for (let first = 0; first < queued; first++) {
    const node = queue[first] ?? 0
    const length = (lengths[node] ?? 1) + 1
    for (let at = incoming.starts[node] ?? 0; at < (incoming.starts[node + 1] ?? 0); at++) {
      const before = incoming.nodes[at] ?? 0
      if (length > (lengths[before] ?? 1)) lengths[before] = length
      const rest = (left[before] ?? 0) - 1
      left[before] = rest
      if (rest === 0) queue[queued++] = before
    }
  }
  return lengths
}
