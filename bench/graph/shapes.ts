/** A graph by numbers: which nodes node `n` waits for. */
export type Shape = (node: number, size: number) => readonly number[]

/** The three shapes that every scheduler is measured on. `layered`: √n wide, three needs each into the layer before. */
export const shapes: Readonly<Record<string, Shape>> = {
  chain: (node) => (node === 0 ? [] : [node - 1]),
  'fan-out': (node) => (node === 0 ? [] : [0]),
  layered(node, size) {
    // Not random, so that every run and every scheduler gets the same graph.
    const width = Math.ceil(Math.sqrt(size))
    if (node < width) return []
    const before = (Math.floor(node / width) - 1) * width
    return [...new Set([1, 7, 13].map((step) => before + ((node * step) % width)))]
  },
}
