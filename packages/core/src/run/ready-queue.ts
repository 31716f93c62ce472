/** Nodes that may start, longest remaining path first; equal ones in the order of the plan. A binary heap: O(log n) each way. */
export interface ReadyQueue {
  push(node: number): void
  pop(): number | undefined
  readonly size: number
}

/** `remaining` is read by node, and must not change while a node is in the queue. */
export function readyQueue(remaining: Int32Array): ReadyQueue {
  const heap: number[] = []
  const before = (a: number, b: number): boolean => {
    const difference = (remaining[b] ?? 0) - (remaining[a] ?? 0)
    return difference === 0 ? a < b : difference < 0
  }
  const at = (index: number): number => heap[index] ?? -1
  return {
    get size() {
      return heap.length
    },
    push(node) {
      let index = heap.length
      heap.push(node)
      while (index > 0) {
        const parent = (index - 1) >> 1
        if (!before(node, at(parent))) break
        heap[index] = at(parent)
        index = parent
      }
      heap[index] = node
    },
    pop() {
      const first = heap[0]
      const last = heap.pop()
      if (heap.length === 0 || last === undefined) return first
      let index = 0
      for (let child = 1; child < heap.length; child = 2 * index + 1) {
        if (child + 1 < heap.length && before(at(child + 1), at(child))) child++
        if (!before(at(child), last)) break
        heap[index] = at(child)
        index = child
      }
      heap[index] = last
      return first
    },
  }
}
