import type { CalledNode, Plan, PlanNode } from '@deployfile/core'

/** A node's id without its place: the task's name, with the input where it was bound. */
export function labelOf(node: PlanNode | CalledNode): string {
  const id = 'parent' in node ? node.id.slice(node.parent.length).replace(/^→\d+:/, '') : node.id
  return node.host === undefined ? id : id.slice(0, id.lastIndexOf('@'))
}

/** Labels with the hosts on which they run, in the plan's order; none for the control machine. */
export function placesOf(plan: Plan): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>()
  for (const node of plan.nodes) {
    if (node.kind !== 'task') continue
    const label = labelOf(node)
    const hosts = places.get(label) ?? []
    places.set(label, hosts)
    if (node.host !== undefined) hosts.push(node.host)
  }
  return places
}

/** ` on web1, web2`, or nothing for the control machine. */
export function onHosts(hosts: readonly string[]): string {
  if (hosts.length === 0) return ''
  return hosts.length <= 6
    ? ` on ${hosts.join(', ')}`
    : ` on ${hosts.slice(0, 5).join(', ')} and ${String(hosts.length - 5)} more`
}
