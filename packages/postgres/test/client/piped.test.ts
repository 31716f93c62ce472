import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { piped } from '../../src/client/piped.ts'

const TEXT = 'x'.repeat(1_000_000)
const silent = (): void => undefined

describe('a pipe', () => {
  it('counts and hashes what passes', async () => {
    const seen: number[] = []
    const { result, bytes, sha256 } = await piped(
      {
        give: (into) => finished(into.end(TEXT)),
        async take(pieces) {
          let length = 0
          for await (const piece of pieces.rest()) length += piece.length
          return length
        },
      },
      (count) => seen.push(count),
    )
    expect([result, bytes, seen.at(-1)]).toEqual([TEXT.length, TEXT.length, TEXT.length])
    expect(sha256).toBe(createHash('sha256').update(TEXT).digest('hex'))
  })

  it('whose reader has enough before the end does not keep the writer waiting, and hashes all', async () => {
    const { bytes } = await piped(
      {
        async give(into) {
          for (let i = 0; i < 10; i++) if (!into.write(TEXT)) await once(into, 'drain')
          await finished(into.end())
        },
        take: (pieces) => pieces.rest().next(),
      },
      silent,
    )
    expect(bytes).toBe(10 * TEXT.length)
  })

  it('whose writer fails ends a reader that reads, and one that reads nothing; it fails with the writer’s words', async () => {
    for (const reads of [true, false]) {
      const running = piped(
        {
          async give(into) {
            into.write('some')
            await new Promise(setImmediate)
            // As a shell does with the output of a command that has failed.
            into.destroy(new Error('raw'))
            throw new Error('pg_dump failed')
          },
          async take(pieces, stop) {
            if (!reads) await once(stop, 'close')
            for await (const _ of pieces.rest());
          },
        },
        silent,
      )
      await expect(running).rejects.toThrow('pg_dump failed')
    }
  })

  it('whose writer fails after its last byte fails all the same', async () => {
    const running = piped(
      {
        async give(into) {
          await finished(into.end(TEXT))
          throw new Error('exit code 1')
        },
        async take(pieces) {
          for await (const _ of pieces.rest());
          return 'restored'
        },
      },
      silent,
    )
    await expect(running).rejects.toThrow('exit code 1')
  })

  it('whose reader fails ends the writer; it fails with the reader’s words', async () => {
    let ended: unknown
    const running = piped(
      {
        async give(into) {
          into.write(TEXT)
          await new Promise((closed) => into.once('close', closed))
          ended = into.errored
          throw new Error('was ended')
        },
        take: () => Promise.reject(new Error('pg_restore failed')),
      },
      silent,
    )
    await expect(running).rejects.toThrow('pg_restore failed')
    expect(ended).toMatchObject({ message: 'pg_restore failed' })
  })
})
