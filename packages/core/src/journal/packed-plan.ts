import type { EdgeReason, Plan, PlanEdge, PlanNode } from '../plan/plan.ts'

/**
 * A plan as it stands in a log: what many nodes and edges have in common is written once. Plainly it would be most of a log, four times
 * as long, and for work that is quickly done half of what the log costs.
 */
export interface PackedPlan extends Omit<Plan, keyof Graph | 'onFailure'>, PackedGraph {
  readonly onFailure?: PackedGraph
}

interface PackedGraph {
  /** What nodes of one task have in common. */
  readonly kinds: readonly Common[]
  /** `as`: which of the `kinds`. No `needs` for none. */
  readonly nodes: readonly (Omit<Own, 'needs'> & Partial<Own> & { readonly as: number })[]
  /** What edges have in common. */
  readonly reasons: readonly Pick<PlanEdge, 'kind' | 'reason'>[]
  /** Three for each edge: the id of the node that it comes from, of the one that it goes to, and which of the `reasons`. */
  readonly edges: readonly (string | number)[]
}

type Graph = Pick<Plan, 'nodes' | 'edges'>
type Own = Pick<PlanNode, 'id' | 'host' | 'input' | 'needs'>
type Common = Omit<PlanNode, keyof Own>

/** Made to be written as JSON: shares what it can with the plan. */
export function packPlan({ nodes, edges, onFailure, ...plan }: Plan): PackedPlan {
  return {
    ...plan,
    ...packNodes(nodes),
    ...packEdges(edges),
    ...(onFailure && {
      onFailure: { ...packNodes(onFailure.nodes), ...packEdges(onFailure.edges) },
    }),
  }
}

/** False for one that was written plainly, as before 2026-11. */
export function isPacked(plan: object): plan is PackedPlan {
  return 'kinds' in plan
}

/** The plan that was packed, after its way through JSON. */
export function unpackPlan({ kinds, nodes, reasons, edges, onFailure, ...plan }: PackedPlan): Plan {
  return {
    ...plan,
    ...unpackGraph({ kinds, nodes, reasons, edges }),
    ...(onFailure && { onFailure: unpackGraph(onFailure) }),
  }
}

function packNodes(nodes: readonly PlanNode[]): Pick<PackedGraph, 'kinds' | 'nodes'> {
  const kinds: Common[] = []
  // By task, the node that its last kind was made from, and which one that is.
  const last = new Map<string, { readonly node: PlanNode; readonly as: number }>()
  const packed = nodes.map((node) => {
    let known = last.get(node.task)
    if (!known || !alike(known.node, node)) {
      const { id: _id, host: _host, input: _input, needs: _needs, ...common } = node
      known = { node, as: kinds.push(common) - 1 }
      last.set(node.task, known)
    }
    // JSON drops what is undefined.
    const { id, host, input, needs } = node
    return { id, as: known.as, host, input, needs: isEmpty(needs) ? undefined : needs }
  })
  return { kinds, nodes: packed as PackedGraph['nodes'] }
}

// Lists and objects that are not the very same may be written twice: to compare them would cost more.
function alike(one: Common, other: Common): boolean {
  return (
    one.kind === other.kind &&
    one.task === other.task &&
    one.stage === other.stage &&
    one.effect === other.effect &&
    one.milestone === other.milestone &&
    one.skip === other.skip &&
    one.wait === other.wait &&
    one.locks === other.locks &&
    one.tolerance === other.tolerance
  )
}

// A field that is added to a node must be compared above: without that, this does not compile.
type Compared = 'kind' | 'task' | 'stage' | 'effect' | 'milestone' | 'skip' | 'wait' | 'locks' | 'tolerance'
true satisfies [Exclude<keyof Common, Compared>] extends [never] ? true : false

function isEmpty(needs: PlanNode['needs']): boolean {
  for (const _ in needs) return false
  return true
}

function packEdges(edges: readonly PlanEdge[]): Pick<PackedGraph, 'reasons' | 'edges'> {
  const reasons: Pick<PlanEdge, 'kind' | 'reason'>[] = []
  const known = new Map<string, number>()
  const packed: (string | number)[] = []
  let last: PlanEdge | undefined
  let number = 0
  for (const edge of edges) {
    const { from, to, kind, reason } = edge
    if (reason !== last?.reason || kind !== last.kind) {
      const text = `${kind} ${textOf(reason)}`
      number = known.get(text) ?? reasons.push({ kind, reason }) - 1
      known.set(text, number)
      last = edge
    }
    packed.push(from, to, number)
  }
  return { reasons, edges: packed }
}

/** Different for different reasons: no name of a task holds a line break. */
function textOf(reason: EdgeReason): string {
  switch (reason.type) {
    case 'need':
      return `need ${reason.key}`
    case 'before':
    case 'after':
      return `${reason.type} ${reason.hook}\n${reason.of}`
    case 'rolling':
      return `rolling ${reason.of}`
    case 'structure':
    case 'command line':
      return reason.type
  }
}

function unpackGraph({ kinds, nodes, reasons, edges: packed }: PackedGraph): Graph {
  const edges: PlanEdge[] = []
  for (let at = 0; at < packed.length; at += 3) {
    const [from, to] = [packed[at], packed[at + 1]]
    const why = reasons[Number(packed[at + 2])]
    if (typeof from !== 'string' || typeof to !== 'string' || !why)
      throw new SyntaxError('an edge of the plan is not whole')
    edges.push({ from, to, ...why })
  }
  return { nodes: nodes.map((node) => unpackNode(node, kinds)), edges }
}

function unpackNode(
  { as, needs = {}, ...own }: PackedGraph['nodes'][number],
  kinds: readonly Common[],
): PlanNode {
  const common = kinds[as]
  if (!common) throw new SyntaxError(`there is no node like '${own.id}'`)
  return { ...own, ...common, needs }
}
