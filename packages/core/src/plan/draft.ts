import type { Host } from '../host/host.ts'
import type { Instance } from './instance.ts'
import { placeId } from './node-id.ts'
import type { EdgeReason, HostNode, PlanEdge, PlanNode } from './plan.ts'

/** A plan while it is being made. */
export interface Draft {
  readonly instances: ReadonlyMap<string, Instance>
  readonly nodes: Map<string, PlanNode>
  readonly edges: PlanEdge[]
  readonly notes: string[]
  /** Edges that are there already, so that two reasons for one order do not make two edges. */
  readonly seen: Set<string>
  /** Joins by what they gather. */
  readonly joins: Map<string, string>
  readonly perHost: Map<string, readonly HostNode[]>
}

export function startDraft(instances: ReadonlyMap<string, Instance>): Draft {
  return {
    instances,
    nodes: new Map(),
    edges: [],
    notes: [],
    seen: new Set(),
    joins: new Map(),
    perHost: new Map(),
  }
}

export function addEdge(
  draft: Draft,
  from: string,
  to: string,
  reason: EdgeReason,
  kind: PlanEdge['kind'] = 'success',
): void {
  const key = `${kind} ${from} ${to}`
  if (draft.seen.has(key)) return
  draft.seen.add(key)
  draft.edges.push({ from, to, kind, reason })
}

/**
 * One node that waits for all of `nodes`: a barrier of n before m costs n + m edges instead of n × m. A single node needs none.
 * `settled` joins wait until all are over, however they ended.
 */
export function joinOf(
  draft: Draft,
  label: string,
  of: Instance,
  nodes: readonly string[],
  kind: PlanEdge['kind'] = 'success',
): string {
  const [only] = nodes
  if (nodes.length === 1 && only !== undefined) return only
  const gathered = `${kind} ${nodes.join(' ')}`
  const known = draft.joins.get(gathered)
  if (known !== undefined) return known
  let id = `${label}(${of.key})`
  for (let count = 2; draft.nodes.has(id); count++) id = `${label}#${String(count)}(${of.key})`
  draft.joins.set(gathered, id)
  const { name: stage } = of.stage.stage
  draft.nodes.set(id, {
    id,
    kind: 'join',
    task: of.task.name,
    stage,
    effect: 'read',
    needs: {},
    milestone: true,
  })
  for (const node of nodes) addEdge(draft, node, id, { type: 'structure' }, kind)
  return id
}

type Part = 'entry' | 'body' | 'exit'

/**
 * The node of an instance at a place: `start` and `end` stand around the body of a task that has hooks, so needs enter at one and
 * dependents leave from the other.
 */
export function nodeAt(draft: Draft, instance: Instance, host: Host | undefined, part: Part): string {
  const at = (suffix: string): string =>
    placeId(`${instance.key}${suffix}`, instance.stage.stage.name, host?.name)
  if (part === 'body') return at('')
  const around = at(part === 'entry' ? '.start' : '.end')
  return draft.nodes.has(around) ? around : at('')
}

/** All exits of an instance, in the order of its hosts. */
export function exitsOf(draft: Draft, instance: Instance): readonly string[] {
  return instance.places.map((host) => nodeAt(draft, instance, host, 'exit'))
}
