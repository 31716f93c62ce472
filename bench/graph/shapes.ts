/** A graph by numbers: which nodes each one waits for. */
export interface Shape {
  readonly name: string
  readonly needs: readonly (readonly number[])[]
}

/** The three shapes that every scheduler is measured on. `layered`: √n wide, three needs each into the layer before. */
export function shapes(size: number): readonly Shape[] {
  const width = Math.ceil(Math.sqrt(size))
  return [
    { name: 'chain', needs: Array.from({ length: size }, (_, node) => (node === 0 ? [] : [node - 1])) },
    { name: 'fan-out', needs: Array.from({ length: size }, (_, node) => (node === 0 ? [] : [0])) },
    { name: 'layered', needs: Array.from({ length: size }, (_, node) => layered(node, width)) },
  ]
}

// Not random, so that every run and every scheduler gets the same graph.
function layered(node: number, width: number): readonly number[] {
  if (node < width) return []
  const before = (Math.floor(node / width) - 1) * width
  return [...new Set([1, 7, 13].map((step) => before + ((node * step) % width)))]
}
