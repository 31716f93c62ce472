import { StringDecoder } from 'node:string_decoder'
import type { Redactor } from '@deployfile/core'

/** Bytes of each stream kept in memory: the first and the last half of it. */
export const CAPTURE_LIMIT = 1024 * 1024

/** A line longer than this is told in pieces: a program may write a gigabyte without a newline. */
const LINE_LIMIT = 64 * 1024

export interface Capture {
  add(chunk: Buffer): void
  readonly truncated: boolean
  text(): string
}

/** Keeps the head and the tail of a stream, `limit` bytes at most, and says whether a middle was left out. */
export function createCapture(limit: number = CAPTURE_LIMIT): Capture {
  const half = Math.floor(limit / 2)
  const head: Buffer[] = []
  let headBytes = 0
  let tail: Buffer[] = []
  let tailBytes = 0
  let dropped = 0
  return {
    add(chunk) {
      const room = Math.max(0, half - headBytes)
      if (room > 0) {
        const first = chunk.subarray(0, room)
        head.push(first)
        headBytes += first.length
      }
      const rest = chunk.subarray(room)
      if (rest.length === 0) return
      tail.push(rest)
      tailBytes += rest.length
      // Cut rarely, and copy, so that no small rest keeps a large chunk in memory.
      if (tailBytes > 2 * half + LINE_LIMIT) {
        const last = Buffer.from(Buffer.concat(tail).subarray(-half))
        dropped += tailBytes - last.length
        tail = [last]
        tailBytes = last.length
      }
    },
    get truncated() {
      return dropped > 0 || tailBytes > half
    },
    text() {
      const all = Buffer.concat(tail)
      if (!(dropped > 0 || tailBytes > half)) return Buffer.concat([...head, all]).toString('utf8')
      const last = all.subarray(-half)
      const left = dropped + tailBytes - last.length
      return `${wholeStart(Buffer.concat(head))}\n[… ${String(left)} bytes left out …]\n${wholeEnd(last)}`
    },
  }
}

// Cuts fall anywhere; half a character would read as U+FFFD.
function wholeStart(bytes: Buffer): string {
  return new StringDecoder('utf8').write(bytes)
}

function wholeEnd(bytes: Buffer): string {
  let start = 0
  while (start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return bytes.subarray(start).toString('utf8')
}

export interface Lines {
  add(chunk: Buffer): void
  end(): void
}

/**
 * Splits a stream into lines, whatever the chunks: one decoder for its whole life, CR before LF dropped. Redacted before they are split,
 * so that no secret of several lines, or at the border of a piece, passes by halves.
 */
export function createLines(redactor: Redactor, tell: (line: string) => void): Lines {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const take = (text: string): void => {
    rest += text
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) tell(line.endsWith('\r') ? line.slice(0, -1) : line)
    while (rest.length > LINE_LIMIT) {
      tell(rest.slice(0, LINE_LIMIT))
      rest = rest.slice(LINE_LIMIT)
    }
  }
  return {
    add(chunk) {
      take(redactor.add(decoder.write(chunk)))
    },
    end() {
      take(redactor.add(decoder.end()) + redactor.end())
      if (rest !== '') tell(rest)
      rest = ''
    },
  }
}
