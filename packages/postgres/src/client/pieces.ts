/** What a stream gives, for readers one after the other who all begin at its beginning. */
export interface Pieces {
  /** From the beginning; what it reads is kept for who comes after it. It may stop wherever it likes. */
  first(): AsyncGenerator<Uint8Array>
  /** From the beginning once more, and to the end; nothing is kept any more, so that nobody comes after it. */
  rest(): AsyncGenerator<Uint8Array>
}

/** Reads a stream for several. All reject with what the stream fails with. */
export function piecesOf(source: AsyncIterable<Uint8Array>): Pieces {
  const pieces = source[Symbol.asyncIterator]()
  const kept: Uint8Array[] = []
  let pulling: Promise<boolean> | undefined
  // One pull at a time, whoever asks: a reader that has gone may still wait for a piece, which is then the next one's.
  const pull = (): Promise<boolean> => {
    pulling ??= pieces.next().then(({ done, value }) => {
      pulling = undefined
      if (done === true) return false
      kept.push(value)
      return true
    })
    return pulling
  }
  return {
    async *first() {
      for (let at = 0; ; at++) {
        if (at >= kept.length && !(await pull())) return
        const piece = kept[at]
        if (piece) yield piece
      }
    },
    async *rest() {
      for (;;) {
        const piece = kept.shift()
        if (piece) yield piece
        else if (!(await pull())) return
      }
    },
  }
}
