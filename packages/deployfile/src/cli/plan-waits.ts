import type { Plan, PlanNode } from '@deployfile/core'
import { labelOf } from '../render/node-label.ts'

/** For each task node the nearest task nodes before it; what one of those waits for anyway is left out. */
export function waitsOf(plan: Plan): Map<string, readonly PlanNode[]> {
  const ancestors = new Map<string, ReadonlySet<string>>()
  const byId = new Map(plan.nodes.map((node) => [node.id, node]))
  const into = new Map<string, string[]>()
  for (const { from, to } of plan.edges) {
    const known = into.get(to)
    if (known) known.push(from)
    else into.set(to, [from])
  }
  const through = new Map<string, ReadonlySet<string>>()
  const waits = new Map<string, readonly PlanNode[]>()
  // Nodes come in an order in which they could run, so that what stands before a node is known already.
  for (const node of plan.nodes) {
    const before = new Set<string>()
    for (const id of into.get(node.id) ?? []) {
      if (byId.get(id)?.kind === 'task') before.add(id)
      else for (const further of through.get(id) ?? []) before.add(further)
    }
    through.set(node.id, before)
    if (node.kind !== 'task') continue
    const implied = new Set([...before].flatMap((id) => [...(ancestors.get(id) ?? [])]))
    ancestors.set(node.id, new Set([...implied, ...before]))
    const nearest = [...before].filter((id) => !implied.has(id))
    waits.set(
      node.id,
      nearest.flatMap((id) => byId.get(id) ?? []),
    )
  }
  return waits
}

export function waitText(
  waits: readonly PlanNode[],
  node: PlanNode,
  places: ReadonlyMap<string, readonly string[]>,
): string {
  const byTask = new Map<string, PlanNode[]>()
  for (const wait of waits) byTask.set(labelOf(wait), [...(byTask.get(labelOf(wait)) ?? []), wait])
  const parts = [...byTask].map(([label, group]) => {
    const [only] = group
    if (only?.host === undefined || (group.length === 1 && only.host === node.host)) return label
    const all = (places.get(label) ?? []).length
    if (group.length > 1 && group.length === all) return `${label} on all ${String(all)} hosts`
    return `${label} on ${group.map((wait) => wait.host ?? '').join(', ')}`
  })
  return parts.join(', ')
}
