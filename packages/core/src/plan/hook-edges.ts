import type { Catalog } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import { addEdge, joinOf, nodeAt, type Draft } from './draft.ts'
import { isLive, type Instance } from './instance.ts'
import { plannedHooks } from './nodes.ts'
import type { EdgeReason } from './plan.ts'

/**
 * start → before-hooks in order → body → after-hooks in order → end, on each host of the task by itself. A hook on a host that the
 * task has too stands in that host's chain; any other (the control machine, a foreign host) is a barrier between all of them.
 */
export function addHookEdges(draft: Draft, catalog: Catalog, instance: Instance): void {
  if (!isLive(instance)) return
  const before = plannedHooks(draft, instance, catalog.before.get(instance.task.name))
  const after = plannedHooks(draft, instance, catalog.after.get(instance.task.name))
  if (before.length + after.length === 0) return
  const places = instance.places.filter((host) => !instance.skipped.has(host))
  const frontier: Frontier = new Map(
    places.map((host) => [host, [{ node: nodeAt(draft, instance, host, 'entry'), reason: WHOLE }]]),
  )
  addChain(draft, instance, frontier, before, 'before')
  advance(draft, instance, frontier, 'body')
  addChain(draft, instance, frontier, after, 'after')
  advance(draft, instance, frontier, 'exit')
}

const WHOLE: EdgeReason = { type: 'structure' }

/** The last nodes of each host's chain so far, and why what comes next waits for them. */
type Frontier = Map<Host | undefined, readonly { readonly node: string; readonly reason: EdgeReason }[]>

function advance(draft: Draft, instance: Instance, frontier: Frontier, part: 'body' | 'exit'): void {
  for (const [host, last] of frontier) {
    const next = nodeAt(draft, instance, host, part)
    for (const { node, reason } of last) addEdge(draft, node, next, reason)
    frontier.set(host, [{ node: next, reason: WHOLE }])
  }
}

function addChain(
  draft: Draft,
  instance: Instance,
  frontier: Frontier,
  hooks: readonly Instance[],
  type: 'before' | 'after',
): void {
  for (const hook of hooks) {
    const reason: EdgeReason = { type, hook: hook.task.name, of: instance.task.name }
    const own = hook.places.filter((host) => frontier.has(host))
    const foreign = hook.places.filter((host) => !frontier.has(host))
    if (foreign.length > 0) addBarrier(draft, instance, frontier, hook, foreign, reason)
    for (const host of own) {
      const entry = nodeAt(draft, hook, host, 'entry')
      for (const { node } of frontier.get(host) ?? []) addEdge(draft, node, entry, reason)
      frontier.set(host, [{ node: nodeAt(draft, hook, host, 'exit'), reason }])
    }
  }
}

// Foreign nodes wait for every host's chain, and every chain then waits for them.
function addBarrier(
  draft: Draft,
  instance: Instance,
  frontier: Frontier,
  hook: Instance,
  foreign: readonly (Host | undefined)[],
  reason: EdgeReason & { readonly type: 'before' | 'after' },
): void {
  const last = [...frontier.values()].flatMap((nodes) => nodes.map(({ node }) => node))
  const reached = joinOf(draft, reason.type, instance, last)
  for (const host of foreign) addEdge(draft, reached, nodeAt(draft, hook, host, 'entry'), reason)
  const passed = joinOf(
    draft,
    'all',
    hook,
    foreign.map((host) => nodeAt(draft, hook, host, 'exit')),
  )
  for (const [host, nodes] of frontier) frontier.set(host, [...nodes, { node: passed, reason }])
}
