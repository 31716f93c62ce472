import { open } from 'node:fs/promises'
import { Problem, type RunEvent } from '@deployfile/core'

/** The events of a run, for any number of readers: each sees all of them from the first, however late or slowly it reads. */
export interface EventStream {
  readonly events: AsyncIterable<RunEvent>
  /** From here on the events are lines of this file, after so many bytes of earlier ones. */
  opened(file: string, after?: number): void
  /** One more event stands in the file. */
  grew(): void
  /** There will be no more; with `thrown`, readers get that after the last event. */
  ended(thrown?: { readonly reason: unknown }): void
}

/**
 * Readers follow the journal's file. So nothing is held in memory for a reader that is slow, late or never comes; an event that was
 * seen has been recorded; and one reader cannot take an event from another. The file is open only while a piece of it is read, so
 * that an iterator which is dropped half way leaves nothing behind.
 */
export function eventStream(onReader: () => void): EventStream {
  let file: string | undefined
  let begins = 0
  let written = 0
  let over: { readonly thrown?: { readonly reason: unknown } } | undefined
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const go of waiting) go()
    waiting.clear()
  }

  async function* follow(): AsyncGenerator<RunEvent, void, undefined> {
    let offset = 0
    // Pieces of a line that is longer than one: the first event holds the plan.
    let rest: Buffer[] = []
    let seen = 0
    for (;;) {
      while (file !== undefined && seen < written) {
        const piece = await readNext(file, begins + offset)
        offset += piece.length
        if (!piece.includes(NEWLINE)) {
          rest.push(piece)
          continue
        }
        const lines = splitLines(Buffer.concat([...rest, piece]))
        rest = [lines.rest]
        for (const line of lines.whole) {
          seen++
          yield JSON.parse(line) as RunEvent
        }
      }
      if (over && seen >= written) {
        if (over.thrown) throw over.thrown.reason
        return
      }
      await new Promise<void>((go) => waiting.add(go))
    }
  }

  return {
    events: {
      [Symbol.asyncIterator]() {
        onReader()
        return follow()
      },
    },
    opened(path, after = 0) {
      begins = after
      file = path
    },
    grew() {
      written++
      wake()
    },
    ended(thrown) {
      over = thrown ? { thrown } : {}
      wake()
    },
  }
}

const PIECE = 64 * 1024
const NEWLINE = 0x0a

/** @throws Problem `EVENTS_LOST` (check) when the file is shorter than what was written to it */
async function readNext(file: string, offset: number): Promise<Buffer> {
  const early = await readPiece(file, offset)
  if (early.length > 0) return early
  // The journal writes at the end of the turn in which an event comes, and a thread may have read before that. Its turn was asked for
  // before this one, so it has had it.
  await new Promise(setImmediate)
  const piece = await readPiece(file, offset)
  if (piece.length > 0) return piece
  throw new Problem('check', 'EVENTS_LOST', `${file} was cut off while its run was being read`, {
    hint: 'Leave the folder of a run alone until it has ended.',
  })
}

async function readPiece(file: string, offset: number): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(PIECE), 0, PIECE, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

function splitLines(bytes: Buffer): { readonly whole: readonly string[]; readonly rest: Buffer } {
  const end = bytes.lastIndexOf(NEWLINE)
  if (end === -1) return { whole: [], rest: bytes }
  return { whole: bytes.toString('utf8', 0, end).split('\n'), rest: bytes.subarray(end + 1) }
}
