import type { Catalog } from '../config/catalog.ts'
import { Problem } from '../problem/problem.ts'
import type { DraftEdge, DraftNode } from './draft.ts'
import type { EdgeReason, PlanEdge, PlanNode } from './plan.ts'

/** Nodes in an order in which they could run one by one, and their edges by the nodes that wait. */
export interface Ordered {
  readonly nodes: readonly PlanNode[]
  readonly edges: readonly PlanEdge[]
}

/**
 * The finished nodes and edges of a draft; equal input gives equal order.
 * @throws Problem `CYCLE` (usage) with the whole path and where each of its edges comes from
 */
export function finished(drafts: readonly DraftNode[], catalog: Catalog): Ordered {
  const ordered = inOrder(drafts, catalog)
  const edges: PlanEdge[] = []
  for (const { node, incoming } of ordered)
    for (const { from, kind, reason } of incoming)
      edges.push({ from: from.node.id, to: node.id, kind, reason })
  return { nodes: ordered.map(({ node }) => node), edges }
}

/** @throws Problem `CYCLE` (usage) */
export function inOrder(nodes: readonly DraftNode[], catalog: Catalog): readonly DraftNode[] {
  const { starts, targets } = outgoing(nodes)
  const waiting = Int32Array.from(nodes, ({ incoming }) => incoming.length)
  const ordered = nodes.filter(({ incoming }) => incoming.length === 0)
  // `ordered` grows while it is walked: it is the queue too.
  for (const { index } of ordered) {
    for (let at = starts[index] ?? 0; at < (starts[index + 1] ?? 0); at++) {
      const next = targets[at] ?? 0
      const left = (waiting[next] ?? 0) - 1
      waiting[next] = left
      const node = nodes[next]
      if (left === 0 && node) ordered.push(node)
    }
  }
  if (ordered.length < nodes.length) {
    throw cycle(
      nodes.filter(({ index }) => (waiting[index] ?? 0) > 0),
      catalog,
    )
  }
  return ordered
}

/** Who waits for node n: `targets` from `starts[n]` up to `starts[n + 1]`. Two arrays and not a list a node: there may be many. */
function outgoing(nodes: readonly DraftNode[]): {
  readonly starts: Int32Array
  readonly targets: Int32Array
} {
  const starts = new Int32Array(nodes.length + 1)
  for (const { incoming } of nodes)
    for (const { from } of incoming) starts[from.index + 1] = (starts[from.index + 1] ?? 0) + 1
  for (let index = 0; index < nodes.length; index++)
    starts[index + 1] = (starts[index + 1] ?? 0) + (starts[index] ?? 0)
  const next = starts.slice()
  const targets = new Int32Array(starts[nodes.length] ?? 0)
  for (const { index, incoming } of nodes) {
    for (const { from } of incoming) {
      const at = next[from.index] ?? 0
      next[from.index] = at + 1
      targets[at] = index
    }
  }
  return { starts, targets }
}

// Every node that is left waits for another one that is left: walking backwards must come round.
function cycle(left: readonly DraftNode[], { tasks }: Catalog): Problem {
  const isLeft = new Set(left)
  const seen = new Map<DraftNode, number>()
  const walked: { readonly edge: DraftEdge; readonly to: DraftNode }[] = []
  let [at] = left
  while (at && !seen.has(at)) {
    seen.set(at, walked.length)
    const edge = at.incoming.findLast(({ from }) => isLeft.has(from))
    if (!edge) break
    walked.push({ edge, to: at })
    at = edge.from
  }
  const round = walked.slice(at && seen.get(at)).reverse()
  // That a task's start is before its end is nothing that anybody wrote.
  const written = round.filter(({ edge }) => edge.reason.type !== 'structure')
  const steps = written.map(
    ({ edge, to }) => `  ${earlier(edge.from)} before ${later(to)} (${explain(edge.reason)})`,
  )
  const location = written.map(({ to }) => tasks.get(to.node.task)?.['~task'].location).find(Boolean)
  return new Problem('usage', 'CYCLE', ['these tasks wait for each other:', ...steps].join('\n'), {
    location,
    hint: 'Remove one of these needs or hooks, or change the order on the command line.',
  })
}

// Hooks stand between the start of a task and its end.
function earlier({ node }: DraftNode): string {
  return `${nameOf(node)} ${node.kind === 'start' ? 'begins' : 'runs'}`
}

function later({ node }: DraftNode): string {
  return node.kind === 'end' ? `the end of ${nameOf(node)}` : nameOf(node)
}

function nameOf({ id, kind }: DraftNode['node']): string {
  return kind === 'start' || kind === 'end' ? id.replace(/\.(?:start|end)(?=@|$)/, '') : id
}

export function explain(reason: EdgeReason): string {
  switch (reason.type) {
    case 'need':
      return `needs.${reason.key}`
    case 'before':
    case 'after':
      return `${reason.type}: { '${reason.of}': [${reason.hook}] }`
    case 'command line':
      return 'order on the command line'
    case 'rolling':
      return `rolling of '${reason.of}'`
    case 'structure':
      return 'part of the same task'
  }
}
