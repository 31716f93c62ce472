import { milliseconds } from '../task/duration.ts'
import { batchSize } from '../task/rolling.ts'
import { addEdge, addJoin, type Draft, type Placed } from './draft.ts'
import type { EdgeReason } from './plan.ts'

/**
 * Between two batches of a rolling task stands a node that waits for the ends of the one (hooks included, so that a health check gates
 * it) and that every start of the other waits for. A batch with a host that did not end well is the last one.
 */
export function addRollingEdges(draft: Draft, { instance, starts, ends }: Placed): void {
  const { rolling } = instance.spec
  if (!rolling) return
  const runs = (_: unknown, place: number): boolean => !instance.skipped.has(instance.places[place])
  const [entries, exits] = [starts.filter(runs), ends.filter(runs)]
  const size = batchSize(rolling, entries.length)
  const reason: EdgeReason = { type: 'rolling', of: instance.task.name }
  const wait = milliseconds(rolling.wait)
  for (let start = size; start < entries.length; start += size) {
    const join = addJoin(draft, `batch#${String(start / size)}`, instance, wait)
    for (const exit of exits.slice(start - size, start)) addEdge(exit, join, reason)
    for (const entry of entries.slice(start, start + size)) addEdge(join, entry, reason)
  }
}
