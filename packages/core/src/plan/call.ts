import { nearestTask, quoteTask } from '../config/aliases.ts'
import type { Catalog, StageEntry } from '../config/catalog.ts'
import { normalizeOn } from '../host/on.ts'
import { Problem } from '../problem/problem.ts'
import { makeTask, type AnyTask } from '../task/task.ts'
import { collectInstances } from './collect.ts'
import { startDraft, type Draft, type DraftNode, type Placed } from './draft.ts'
import type { Instance } from './instance.ts'
import { addNeedEdges } from './need-edges.ts'
import { instanceKey } from './node-id.ts'
import { addNodes } from './nodes.ts'
import { inOrder } from './order.ts'
import { noFilter, readFilter } from './filter.ts'
import type { PlanSource } from './source.ts'
import type { Binding, HostNode, PlanEdge, PlanNode } from './plan.ts'

/** A task that the body of another one asks for. */
export interface CallRequest {
  /** The node whose body it is. */
  readonly caller: PlanNode
  /** Which of its calls this is, from 1. */
  readonly number: number
  readonly task: string
  /** Undefined: none was given. */
  readonly input: unknown
  /** What the run was made from: its filter of hosts holds for calls, too. */
  readonly from: PlanSource
  /** Whether a node of the run's plan has given its result already; throws when it will not do. */
  readonly isThere: (needed: PlanNode) => boolean
}

/** A node that is run by a call. Its id is `<caller>→<number>:<its id in a plan>`. */
export interface CalledNode extends PlanNode {
  /** The node that called it. */
  readonly parent: string
}

/** What one call runs, as data: the called task on its hosts, and what it needs as far as that is not done. */
export interface CallPlan {
  /** In an order in which they could run one by one. */
  readonly nodes: readonly CalledNode[]
  readonly edges: readonly PlanEdge[]
  /** Nodes of the run's plan that these were built on, with those that they are for. */
  readonly uses: readonly { readonly from: string; readonly to: string }[]
  readonly perHost: Readonly<Record<string, readonly HostNode[]>>
  /** Where the caller finds what it gets. */
  readonly result: Binding
}

/** What stands between a caller's id and that of a node which it called. */
export function calledPrefix(caller: string, number: number): string {
  return `${caller}→${String(number)}:`
}

/** The id of a called node as it would be in a plan. */
export function placeOfCalled({ id, parent }: CalledNode): string {
  return id.slice(parent.length).replace(/^→\d+:/, '')
}

/**
 * Plans a call on the caller's stage: without hooks and batches; a per-host task from a caller with a host on that host only.
 * @throws Problem: `CALL_UNKNOWN` (task), or what a plan would be refused for (usage)
 */
export function planCall(catalog: Catalog, request: CallRequest): CallPlan {
  const { caller, input } = request
  const stage = catalog.stages.get(caller.stage)
  if (!stage) throw new Error(`the plan has the stage '${caller.stage}', which the config does not have`)
  const draft = draftOf(catalog, calledTask(catalog, request), stage, request)
  const root = draft.placed.get(instanceKey(request.task, input))
  if (!root) throw new Error(`the call of '${request.task}' was not planned`)
  return cut(catalog, draft, root, request)
}

function calledTask(catalog: Catalog, { task: name, input, caller }: CallRequest): AnyTask {
  const task = catalog.tasks.get(name)
  if (task) return makeTask(name, task['~task'].spec, task['~task'].location, input)
  const near = nearestTask(catalog, name)
  throw new Problem(
    'task',
    'CALL_UNKNOWN',
    `'${caller.task}' calls '${name}', which the config does not have`,
    {
      location: catalog.tasks.get(caller.task)?.['~task'].location,
      hint: `List it in the config's tasks.${near === undefined ? '' : ` Or did you mean ${quoteTask(catalog, near)}?`}`,
    },
  )
}

function draftOf(catalog: Catalog, task: AnyTask, stage: StageEntry, { caller, from }: CallRequest): Draft {
  // Hooks belong to the places of a plan: a call is the task itself.
  const bare = { ...catalog, before: new Map(), after: new Map() }
  const own = catalog.stages.get(from.stage)
  // What is skipped is not planned; whoever calls it wants it all the same.
  const filter = own ? readFilter(catalog, own, { hosts: from.hosts, roles: from.roles }) : noFilter(stage)
  const collected = new Map(collectInstances(bare, [task], stage, new Map(), filter))
  const key = instanceKey(task.name, task['~task'].bound)
  const root = collected.get(key)
  if (root && caller.host !== undefined && isPerHost(root)) collected.set(key, onHost(root, caller))
  const draft = startDraft()
  for (const instance of collected.values()) addNodes(draft, bare, collected, instance)
  for (const placed of draft.placed.values()) addNeedEdges(draft, placed)
  return draft
}

function isPerHost({ spec: { on } }: Instance): boolean {
  return on !== undefined && normalizeOn(on).pick !== 'primary'
}

function onHost(instance: Instance, caller: PlanNode): Instance {
  const own = instance.places.find((host) => host?.name === caller.host && host?.stage === caller.stage)
  if (own) return { ...instance, places: [own] }
  const { name } = instance.task
  const host = caller.host ?? ''
  throw new Problem(
    'task',
    'CALL_NOT_ON_HOST',
    `'${caller.task}' calls '${name}' on ${host}, where '${name}' does not run`,
    {
      host,
      hint: `Call it from a task without 'on', which gets every host's result, or let both run there.`,
    },
  )
}

/** Only what the called nodes wait for, as far as that is not there, under the ids of this call. */
function cut(catalog: Catalog, draft: Draft, root: Placed, request: CallRequest): CallPlan {
  const prefix = calledPrefix(request.caller.id, request.number)
  const { taken, uses } = missing(root.bodies, request)
  const ids = new Set([...taken].map(({ node }) => node.id))
  const renamed = (id: string): string => (ids.has(id) ? prefix + id : id)
  const ordered = inOrder(draft.nodes, catalog).filter((one) => taken.has(one))
  const nodes = ordered.map(({ node }): CalledNode => ({
    ...node,
    id: prefix + node.id,
    needs: Object.fromEntries(
      Object.entries(node.needs).map(([key, binding]) => [key, renamedBinding(binding, prefix, renamed)]),
    ),
    parent: request.caller.id,
  }))
  const edges = ordered.flatMap(({ node, incoming }) =>
    incoming.flatMap(({ from, kind, reason }): PlanEdge[] =>
      taken.has(from) ? [{ from: prefix + from.node.id, to: prefix + node.id, kind, reason }] : [],
    ),
  )
  const gathered = new Map(draft.perHost)
  const { key } = root.instance
  if (isPerHost(root.instance) && !gathered.has(key)) gathered.set(key, hostNodes(root))
  const perHost = Object.fromEntries(
    [...gathered].map(([of, list]) => [
      prefix + of,
      list.map(({ host, node }) => ({ host, node: renamed(node) })),
    ]),
  )
  return {
    nodes,
    edges,
    uses: uses.map(({ from, to }) => ({ from: from.node.id, to: prefix + to.node.id })),
    perHost,
    result: resultOf(root, request.caller, prefix),
  }
}

interface Missing {
  readonly taken: ReadonlySet<DraftNode>
  readonly uses: readonly { readonly from: DraftNode; readonly to: DraftNode }[]
}

/** What must be run for the called nodes, and which nodes of the run that builds on. */
function missing(called: readonly DraftNode[], request: CallRequest): Missing {
  const taken = new Set<DraftNode>()
  const uses: Missing['uses'][number][] = []
  // Joins are the plan's own; each call gathers for itself. What was called is run even where it is there.
  const isThere = new Map<DraftNode, boolean>(called.map((one) => [one, false]))
  const stack = [...called].reverse()
  for (let to = stack.pop(); to; to = stack.pop()) {
    if (taken.has(to)) continue
    taken.add(to)
    for (const { from } of to.incoming) {
      let there = isThere.get(from)
      if (there === undefined) {
        there = from.node.kind === 'task' && request.isThere(from.node)
        isThere.set(from, there)
      }
      if (there) uses.push({ from, to })
      else stack.push(from)
    }
  }
  return { taken, uses }
}

function renamedBinding(binding: Binding, prefix: string, renamed: (id: string) => string): Binding {
  if (binding.kind === 'one') return { kind: 'one', node: renamed(binding.node) }
  return binding.kind === 'each' ? { kind: 'each', of: prefix + binding.of } : binding
}

function hostNodes({ bodies }: Placed): readonly HostNode[] {
  return bodies.flatMap(({ node: { host, id } }) => (host === undefined ? [] : [{ host, node: id }]))
}

function resultOf({ instance, bodies }: Placed, caller: PlanNode, prefix: string): Binding {
  if (isPerHost(instance) && caller.host === undefined) return { kind: 'each', of: prefix + instance.key }
  const [only] = bodies
  return only ? { kind: 'one', node: prefix + only.node.id } : { kind: 'none' }
}
