import type { Host } from '../host/host.ts'
import type { Instance } from './instance.ts'
import type { Binding, EdgeReason, HostNode, PlanEdge, PlanNode } from './plan.ts'

/** A node while its plan is being made. */
export interface DraftNode {
  readonly node: Unfinished
  /** Its place in {@link Draft.nodes}. */
  readonly index: number
  /** What it waits for. */
  readonly incoming: DraftEdge[]
}

/** What is known only when all nodes are there is added to a node then. */
type Unfinished = Omit<PlanNode, 'needs' | 'tolerance'> & {
  needs: PlanNode['needs']
  tolerance?: NonNullable<PlanNode['tolerance']>
}

export interface DraftEdge {
  readonly from: DraftNode
  readonly kind: PlanEdge['kind']
  readonly reason: EdgeReason
}

/**
 * An instance with its nodes, each list in the order of its places. Where no hooks stand around a body, it is its own start and end.
 * Needs enter at starts, dependents leave from ends.
 */
export interface Placed {
  readonly instance: Instance
  readonly starts: readonly DraftNode[]
  readonly bodies: readonly DraftNode[]
  readonly ends: readonly DraftNode[]
  /** Made when the first dependent asks, by {@link outputsOf}. */
  outputs: readonly Output[] | undefined
}

/** What a dependent sees of one place, and the node that it waits for. */
export interface Output {
  readonly from: DraftNode | undefined
  readonly binding: Binding
}

/** A plan while it is being made. */
export interface Draft {
  /** By `name{input}`. */
  readonly placed: Map<string, Placed>
  readonly nodes: DraftNode[]
  readonly notes: string[]
  readonly perHost: Map<string, readonly HostNode[]>
  /** The joins of all ends, by what they end: however many wait for them, each is made once. */
  readonly allEnds: Map<Placed, DraftNode>
  /** How often each label of a join was given. */
  readonly labels: Map<string, number>
}

export function startDraft(): Draft {
  return {
    placed: new Map(),
    nodes: [],
    notes: [],
    perHost: new Map(),
    allEnds: new Map(),
    labels: new Map(),
  }
}

export function addDraftNode(draft: Draft, node: PlanNode): DraftNode {
  const made = { node, index: draft.nodes.length, incoming: [] }
  draft.nodes.push(made)
  return made
}

// Beyond this many edges into one node, a set knows sooner whether one is there already.
const FEW = 8
const sources = new WeakMap<DraftNode, Set<DraftNode>>()

/** Two reasons for one order are one edge, with the first of them. */
export function addEdge(
  from: DraftNode,
  to: DraftNode,
  reason: EdgeReason,
  kind: PlanEdge['kind'] = 'success',
): void {
  if (hasEdge(from, to, kind)) return
  to.incoming.push({ from, kind, reason })
  sources.get(to)?.add(from)
}

function hasEdge(from: DraftNode, to: DraftNode, kind: PlanEdge['kind']): boolean {
  const { incoming } = to
  if (incoming.length >= FEW) {
    let known = sources.get(to)
    if (!known) sources.set(to, (known = new Set(incoming.map((edge) => edge.from))))
    if (!known.has(from)) return false
  }
  return incoming.some((edge) => edge.from === from && edge.kind === kind)
}

export const STRUCTURE: EdgeReason = { type: 'structure' }

/**
 * One node that waits for all of `nodes`: a barrier of n before m costs n + m edges instead of n × m. A single node needs none.
 * `settled` joins wait until all are over, however they ended.
 */
export function joinOf(
  draft: Draft,
  label: string,
  of: Instance,
  nodes: readonly DraftNode[],
  kind: PlanEdge['kind'] = 'success',
): DraftNode {
  const [only] = nodes
  if (only && nodes.every((node) => node === only)) return only
  const join = addJoin(draft, label, of)
  for (const node of nodes) addEdge(node, join, STRUCTURE, kind)
  return join
}

/** A node of our own that stands for something about an instance: `label(name{input})`. */
export function addJoin(draft: Draft, label: string, of: Instance, wait?: number): DraftNode {
  const plain = `${label}(${of.key})`
  const count = (draft.labels.get(plain) ?? 0) + 1
  draft.labels.set(plain, count)
  return addDraftNode(draft, {
    id: count === 1 ? plain : `${label}#${String(count)}(${of.key})`,
    kind: 'join',
    task: of.task.name,
    stage: of.stage.stage.name,
    effect: 'read',
    needs: NO_NEEDS,
    ...(wait !== undefined && { wait }),
    milestone: true,
  })
}

/** One object for all nodes that need nothing. */
export const NO_NEEDS: PlanNode['needs'] = Object.freeze({})

/** What waits until all of an instance has ended well waits for this. Undefined where it has no place. */
export function allEndsOf(draft: Draft, placed: Placed): DraftNode | undefined {
  if (placed.ends.length < 2) return placed.ends[0]
  const known = draft.allEnds.get(placed)
  if (known) return known
  const made = joinOf(draft, 'all', placed.instance, placed.ends)
  draft.allEnds.set(placed, made)
  return made
}

/** What each place gives to its dependents: the same objects for all of them. */
export function outputsOf(placed: Placed): readonly Output[] {
  placed.outputs ??= placed.bodies.map((body, place) => ({
    from: placed.ends[place],
    binding: { kind: 'one', node: body.node.id },
  }))
  return placed.outputs
}

const indices = new WeakMap<Instance, ReadonlyMap<Host | undefined, number>>()

/** Which of an instance's places a host is; undefined for none. */
export function indexOf(instance: Instance, host: Host | undefined): number | undefined {
  const { places } = instance
  if (places.length === 1) return places[0] === host ? 0 : undefined
  let known = indices.get(instance)
  if (!known) indices.set(instance, (known = new Map(places.map((place, index) => [place, index]))))
  return known.get(host)
}
