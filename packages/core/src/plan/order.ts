import { Problem } from '../problem/problem.ts'
import type { EdgeReason, PlanEdge, PlanNode } from './plan.ts'

/**
 * The nodes in an order in which they could run one by one; equal input gives equal order.
 * @throws Problem `CYCLE` (usage) with the whole path and where each of its edges comes from
 */
export function inOrder(nodes: readonly PlanNode[], edges: readonly PlanEdge[]): readonly PlanNode[] {
  const waiting = new Map(nodes.map((node) => [node.id, 0]))
  const outgoing = new Map<string, PlanEdge[]>()
  for (const edge of edges) {
    waiting.set(edge.to, (waiting.get(edge.to) ?? 0) + 1)
    const known = outgoing.get(edge.from)
    if (known) known.push(edge)
    else outgoing.set(edge.from, [edge])
  }
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const ordered = nodes.filter((node) => waiting.get(node.id) === 0)
  // `ordered` grows while it is walked: it is the queue too.
  for (const node of ordered) {
    for (const { to } of outgoing.get(node.id) ?? []) {
      const left = (waiting.get(to) ?? 0) - 1
      waiting.set(to, left)
      const next = byId.get(to)
      if (left === 0 && next) ordered.push(next)
    }
  }
  if (ordered.length < nodes.length) throw cycle(waiting, edges)
  return ordered
}

// Every node that is left waits for another one that is left: walking backwards must come round.
function cycle(waiting: ReadonlyMap<string, number>, edges: readonly PlanEdge[]): Problem {
  const incoming = new Map<string, PlanEdge>()
  for (const edge of edges) {
    if ((waiting.get(edge.from) ?? 0) > 0 && (waiting.get(edge.to) ?? 0) > 0) incoming.set(edge.to, edge)
  }
  const [start] = incoming.keys()
  const seen = new Map<string, number>()
  const walked: PlanEdge[] = []
  let at = start ?? ''
  while (!seen.has(at)) {
    seen.set(at, walked.length)
    const edge = incoming.get(at)
    if (!edge) break
    walked.push(edge)
    at = edge.from
  }
  const round = walked.slice(seen.get(at)).reverse()
  const steps = round.map((edge) => `  ${edge.from} runs before ${edge.to} (${explain(edge.reason)})`)
  return new Problem('usage', 'CYCLE', ['these tasks wait for each other:', ...steps].join('\n'), {
    hint: 'Remove one of these needs or hooks, or change the order on the command line.',
  })
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
