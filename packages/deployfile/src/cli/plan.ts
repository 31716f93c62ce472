import type { Plan, PlanNode } from '@deployfile/core'
import { count } from '../render/duration.ts'
import { labelOf, placesOf } from '../render/node-label.ts'
import type { Style } from '../render/style.ts'

/** The plan for people: a line a task and host, with what it waits for. Hooks' and joins' inner nodes are looked through. */
export function planLines(plan: Plan, style: Style): string[] {
  const nodes = plan.nodes.filter((node) => node.kind === 'task')
  const places = placesOf(plan)
  const waits = waitsOf(plan)
  const numbers = String(nodes.length).length
  const names = Math.max(0, ...nodes.map((node) => labelOf(node).length))
  const hosts = Math.max(0, ...nodes.map((node) => (node.host ?? '').length))
  const known = new Set(nodes.flatMap((node) => node.host ?? []))
  const where = known.size === 0 ? 'on this machine' : `on ${count(known.size, 'host')}`
  const lines = [
    `${style.bold(`${plan.stage}: ${plan.requested.join(' ')}`)}  ${count(nodes.length, 'step')} ${where}; nothing was run`,
  ]
  for (const [index, node] of nodes.entries()) {
    const number = style.dim(String(index + 1).padStart(numbers))
    const name = labelOf(node).padEnd(names)
    const host = (node.host ?? '').padEnd(hosts)
    const after = summary(waits.get(node.id) ?? [], node, places)
    const note = node.skip === undefined ? (after === '' ? '' : `after ${after}`) : `skipped: ${node.skip}`
    lines.push(`${number} ${name}  ${style.cyan(host)}  ${style.dim(note)}`.trimEnd())
  }
  return [...lines, ...plan.notes.map((note) => `${style.yellow('note:')} ${note}`)]
}

/** For each task node the nearest task nodes before it; what one of those waits for anyway is left out. */
function waitsOf(plan: Plan): Map<string, readonly PlanNode[]> {
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

function summary(
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
