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
  // A ring, so that a gigabyte leaves no garbage behind: byte n of what follows the head is at n modulo its size.
  let ring: Buffer | undefined
  let seen = 0
  const keep = (bytes: Buffer): void => {
    ring ??= Buffer.allocUnsafe(half)
    const last = bytes.subarray(Math.max(0, bytes.length - half))
    const start = (seen + bytes.length - last.length) % half
    const fits = last.copy(ring, start)
    last.copy(ring, 0, fits)
    seen += bytes.length
  }
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
      if (half > 0) keep(rest)
      else seen += rest.length
    },
    get truncated() {
      return seen > half
    },
    text() {
      const all = ring ?? Buffer.alloc(0)
      if (seen <= half) return Buffer.concat([...head, all.subarray(0, seen)]).toString('utf8')
      const end = half > 0 ? seen % half : 0
      const last = Buffer.concat([all.subarray(end), all.subarray(0, end)])
      return `${wholeStart(Buffer.concat(head))}\n[… ${String(seen - half)} bytes left out …]\n${wholeEnd(last)}`
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
