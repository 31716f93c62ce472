import { describe, expect, it } from 'vitest'
import { piecesOf } from '../../src/client/pieces.ts'

/** A stream whose pieces come when this test says so. */
function controlled() {
  const asked: ((result: IteratorResult<Uint8Array>) => void)[] = []
  let fail = (_: Error): void => undefined
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise((resolve, reject) => {
          asked.push(resolve)
          fail = reject
        }),
    }),
  }
  return {
    source,
    asked: () => asked.length,
    give: (text: string) => asked.shift()?.({ done: false, value: Buffer.from(text) }),
    end: () => asked.shift()?.({ done: true, value: undefined }),
    fail: (error: Error) => fail(error),
  }
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  let said = ''
  for await (const piece of pieces) said += Buffer.from(piece).toString()
  return said
}

async function* given(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const one of texts) yield Promise.resolve(Buffer.from(one))
}

describe('the pieces of a stream', () => {
  it('are there from the beginning for both readers', async () => {
    const pieces = piecesOf(given('a', 'b', 'c'))
    for await (const piece of pieces.first()) if (Buffer.from(piece).toString() === 'b') break
    expect(await text(pieces.rest())).toBe('abc')
  })

  it('are all there for the second where the first has read them all, or none', async () => {
    const all = piecesOf(given('a', 'b'))
    expect(await text(all.first())).toBe('ab')
    expect(await text(all.rest())).toBe('ab')
    expect(await text(piecesOf(given('a', 'b')).rest())).toBe('ab')
  })

  it('for which a reader that has gone still waits are the next one’s, in their order', async () => {
    const { source, asked, give, end } = controlled()
    const pieces = piecesOf(source)
    const first = pieces.first()
    const piece = first.next()
    give('a')
    await piece
    const never = first.next()
    const gone = first.return(undefined)
    const rest = text(pieces.rest())
    await expect.poll(asked).toBe(1)
    give('b')
    await expect.poll(asked).toBe(1)
    give('c')
    await expect.poll(asked).toBe(1)
    end()
    expect(await rest).toBe('abc')
    // What it still got it has thrown away.
    await Promise.all([never, gone])
  })

  it('that fail do so for whoever reads', async () => {
    const { source, fail } = controlled()
    const pieces = piecesOf(source)
    const reading = text(pieces.rest())
    fail(new Error('broken'))
    await expect(reading).rejects.toThrow('broken')
  })
})
