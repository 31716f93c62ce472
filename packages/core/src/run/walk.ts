import type { Gate } from './gate.ts'
import { remainingPaths, type Graph } from './graph.ts'
import { readyQueue } from './ready-queue.ts'

/** What is done at each node of a walk. */
export interface Visitor {
  /** Announces that a node is about to be entered. False: there is nothing to enter, it is over. */
  announce(node: number): boolean
  /** After a batch of announcements, before the first of them is entered; what it returns is waited for. */
  announced(): void | Promise<void>
  /** A visit that returns no promise is over, and costs no turn of the event loop. */
  enter(node: number): Promise<unknown> | undefined
}

/**
 * Visits every node exactly once, each after all nodes that it waits for, at most `limit` at a time and as its gate lets it. What
 * becomes of a node is the visitor's affair: this neither knows failures nor stops, so nothing can be left over. Long chains of visits
 * that are over at once do not recurse. Rejects only when the visitor does.
 */
export async function walk(
  graph: Graph,
  limit: number,
  visitor: Visitor,
  gateFor?: (wake: (node: number) => void) => Gate,
): Promise<void> {
  const { starts, nodes } = graph.outgoing
  const waiting = new Int32Array(graph.size)
  const ready = readyQueue(remainingPaths(graph))
  for (let node = 0; node < graph.size; node++) {
    waiting[node] = (graph.incoming.starts[node + 1] ?? 0) - (graph.incoming.starts[node] ?? 0)
    if (waiting[node] === 0) ready.push(node)
  }
  await new Promise<void>((resolve, reject) => {
    let running = 0
    const gate = gateFor?.((node) => {
      ready.push(node)
    })
    const settle = (node: number): void => {
      gate?.leave(node)
      for (let at = starts[node] ?? 0; at < (starts[node + 1] ?? 0); at++) {
        const next = nodes[at] ?? 0
        const left = (waiting[next] ?? 0) - 1
        waiting[next] = left
        if (left === 0) ready.push(next)
      }
    }
    const announceBatch = (): number[] => {
      const batch: number[] = []
      while (running + batch.length < limit) {
        const node = ready.pop()
        if (node === undefined) break
        if (gate && !gate.enter(node)) continue
        if (visitor.announce(node)) batch.push(node)
        else settle(node)
      }
      return batch
    }
    const enterBatch = (batch: readonly number[]): void => {
      for (const node of batch) {
        const entered = visitor.enter(node)
        if (entered === undefined) {
          settle(node)
          continue
        }
        running++
        entered
          .then(() => {
            running--
            settle(node)
            advance()
          })
          .catch(reject)
      }
    }
    const advance = (): void => {
      for (let batch = announceBatch(); batch.length > 0; batch = announceBatch()) {
        const announced = visitor.announced()
        if (announced === undefined) {
          enterBatch(batch)
          continue
        }
        const { length } = batch
        const entering = batch
        running += length
        announced
          .then(() => {
            running -= length
            enterBatch(entering)
            advance()
          })
          .catch(reject)
      }
      if (running === 0 && ready.size === 0) resolve()
    }
    advance()
  })
}
