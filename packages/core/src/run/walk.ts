import type { Gate } from './gate.ts'
import { remainingPaths, type Graph } from './graph.ts'
import { readyQueue } from './ready-queue.ts'

/**
 * Visits every node exactly once, each after all nodes that it waits for, at most `limit` at a time and as its gate lets it. What becomes of a node is the
 * visitor's affair: this neither knows failures nor stops, so nothing can be left over. A visit that returns no promise costs no
 * turn of the event loop, and long chains of those do not recurse. Rejects only when a visit does.
 */
export async function walk(
  graph: Graph,
  limit: number,
  visit: (node: number) => Promise<unknown> | undefined,
  gateFor?: (wake: (node: number) => void) => Gate,
): Promise<void> {
  const waiting = graph.incoming.map((list) => list.length)
  const ready = readyQueue(remainingPaths(graph))
  for (const [node, count] of waiting.entries()) if (count === 0) ready.push(node)
  await new Promise<void>((resolve, reject) => {
    let running = 0
    const gate = gateFor?.((node) => {
      ready.push(node)
    })
    const settle = (node: number): void => {
      gate?.leave(node)
      for (const next of graph.outgoing[node] ?? []) {
        const left = (waiting[next] ?? 0) - 1
        waiting[next] = left
        if (left === 0) ready.push(next)
      }
    }
    const advance = (): void => {
      while (running < limit) {
        const node = ready.pop()
        if (node === undefined) break
        if (gate && !gate.enter(node)) continue
        const visited = visit(node)
        if (visited === undefined) {
          settle(node)
          continue
        }
        running++
        visited.then(() => {
          running--
          settle(node)
          advance()
        }, reject)
      }
      if (running === 0 && ready.size === 0) resolve()
    }
    advance()
  })
}
