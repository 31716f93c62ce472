import { milliseconds } from '../task/duration.ts'
import { batchSize } from '../task/rolling.ts'
import { addEdge, nodeAt, type Draft } from './draft.ts'
import type { Instance } from './instance.ts'
import type { EdgeReason } from './plan.ts'

/**
 * Between two batches of a rolling task stands a node that waits for the ends of the one (hooks included, so that a health check gates
 * it) and that every start of the other waits for. A batch with a host that did not end well is the last one.
 */
export function addRollingEdges(draft: Draft, instance: Instance): void {
  const { rolling } = instance.spec
  if (!rolling) return
  const hosts = instance.places.filter((host) => !instance.skipped.has(host))
  const size = batchSize(rolling, hosts.length)
  const reason: EdgeReason = { type: 'rolling', of: instance.task.name }
  const wait = milliseconds(rolling.wait)
  for (let start = size; start < hosts.length; start += size) {
    const id = `batch#${String(start / size)}(${instance.key})`
    draft.nodes.set(id, {
      id,
      kind: 'join',
      task: instance.task.name,
      stage: instance.stage.stage.name,
      effect: 'read',
      needs: {},
      ...(wait !== undefined && { wait }),
      milestone: true,
    })
    for (const host of hosts.slice(start - size, start))
      addEdge(draft, nodeAt(draft, instance, host, 'exit'), id, reason)
    for (const host of hosts.slice(start, start + size))
      addEdge(draft, id, nodeAt(draft, instance, host, 'entry'), reason)
  }
}
