/** Nodes that may start, longest remaining path first; equal ones in the order of the plan. A binary heap: O(log n) each way. */
export interface ReadyQueue {
  push(node: number): void
  pop(): number | undefined
  readonly size: number
}

export function readyQueue(remaining: readonly number[]): ReadyQueue {
  const heap: number[] = []
  const before = (a: number, b: number): boolean => {
    const difference = (remaining[b] ?? 0) - (remaining[a] ?? 0)
    return difference === 0 ? a < b : difference < 0
  }
  const at = (index: number): number => heap[index] ?? -1
  const swap = (a: number, b: number): void => {
    const kept = at(a)
    heap[a] = at(b)
    heap[b] = kept
  }
  return {
    get size() {
      return heap.length
    },
    push(node) {
      let index = heap.push(node) - 1
      while (index > 0) {
        const parent = (index - 1) >> 1
        if (!before(at(index), at(parent))) return
        swap(index, parent)
        index = parent
      }
    },
    pop() {
      const [first] = heap
      const last = heap.pop()
      if (heap.length === 0 || last === undefined) return first
      heap[0] = last
      for (let index = 0; ;) {
        const children = [2 * index + 1, 2 * index + 2].filter((child) => child < heap.length)
        const smallest = children.reduce((best, child) => (before(at(child), at(best)) ? child : best), index)
        if (smallest === index) return first
        swap(index, smallest)
        index = smallest
      }
    },
  }
}
