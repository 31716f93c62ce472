import type { Catalog } from '../config/catalog.ts'
import { addEdge, indexOf, joinOf, STRUCTURE, type Draft, type DraftNode, type Placed } from './draft.ts'
import { allEndsOf } from './draft.ts'
import { isLive } from './instance.ts'
import { plannedHooks, type Instances } from './nodes.ts'
import type { EdgeReason } from './plan.ts'

/**
 * start → before-hooks in order → body → after-hooks in order → end, on each host of the task by itself. A hook on a host that the
 * task has too stands in that host's chain; any other (the control machine, a foreign host) is a barrier between all of them.
 */
export function addHookEdges(draft: Draft, catalog: Catalog, instances: Instances, placed: Placed): void {
  const { instance, starts, bodies, ends } = placed
  if (!isLive(instance)) return
  const hooksOf = (table: Catalog['before']): readonly Placed[] =>
    plannedHooks(instances, table.get(instance.task.name)).flatMap(({ key }) => draft.placed.get(key) ?? [])
  const before = hooksOf(catalog.before)
  const after = hooksOf(catalog.after)
  if (before.length + after.length === 0) return
  const chains = new Map<number, Last>()
  for (const [place, node] of starts.entries())
    if (!instance.skipped.has(instance.places[place])) chains.set(place, { node, reason: STRUCTURE })
  addHooks(draft, placed, chains, before, 'before')
  advance(chains, bodies)
  addHooks(draft, placed, chains, after, 'after')
  advance(chains, ends)
}

/** The last node of a host's chain so far, and why what comes next waits for it. */
interface Last {
  readonly node: DraftNode
  readonly reason: EdgeReason
}

/** By place of the task. */
type Chains = Map<number, Last>

function advance(chains: Chains, to: readonly DraftNode[]): void {
  for (const [place, { node, reason }] of chains) {
    const next = to[place]
    if (!next) continue
    addEdge(node, next, reason)
    chains.set(place, { node: next, reason: STRUCTURE })
  }
}

function addHooks(
  draft: Draft,
  placed: Placed,
  chains: Chains,
  hooks: readonly Placed[],
  type: 'before' | 'after',
): void {
  for (const hook of hooks) {
    const reason = { type, hook: hook.instance.task.name, of: placed.instance.task.name } as const
    const own: [place: number, at: number][] = []
    const foreign: number[] = []
    for (const [at, host] of hook.instance.places.entries()) {
      const place = indexOf(placed.instance, host)
      if (place !== undefined && chains.has(place)) own.push([place, at])
      else foreign.push(at)
    }
    if (foreign.length > 0) addBarrier(draft, placed, chains, hook, foreign, reason)
    for (const [place, at] of own) {
      const [last, start, end] = [chains.get(place), hook.starts[at], hook.ends[at]]
      if (!last || !start || !end) continue
      addEdge(last.node, start, reason)
      chains.set(place, { node: end, reason })
    }
  }
}

// Foreign nodes wait for every host's chain, and every chain then waits for them.
function addBarrier(
  draft: Draft,
  { instance }: Placed,
  chains: Chains,
  hook: Placed,
  foreign: readonly number[],
  reason: EdgeReason & { readonly type: 'before' | 'after' },
): void {
  const reached = joinOf(
    draft,
    reason.type,
    instance,
    [...chains.values()].map(({ node }) => node),
  )
  for (const at of foreign) {
    const start = hook.starts[at]
    if (start) addEdge(reached, start, reason)
  }
  const isAll = foreign.length === hook.ends.length
  const ends = foreign.flatMap((at) => hook.ends[at] ?? [])
  const passed = isAll ? allEndsOf(draft, hook) : joinOf(draft, 'all', hook.instance, ends)
  if (!passed) return
  for (const place of chains.keys()) chains.set(place, { node: passed, reason })
}
