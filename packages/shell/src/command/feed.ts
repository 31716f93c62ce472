import { Readable, type Writable } from 'node:stream'
import { isSecret, Problem, reveal } from '@deployfile/core'
import type { Launch } from './launch.ts'
import type { Input } from './order.ts'
import type { StopSource } from './stop.ts'

const used = new WeakSet()

/**
 * An input as something that can be written. A stream gives its pieces once, so that the second command of a shell that has one as its
 * default would get nothing.
 * @throws Problem `INPUT_USED`, `COMMAND_OPTIONS` (usage), `SECRET_MISSING` (check)
 */
export function sourceOf(input: Input | undefined): string | Uint8Array | Readable | undefined {
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) return input
  if (isSecret(input)) return reveal(input)
  if (typeof (input as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] !== 'function') {
    throw new Problem(
      'usage',
      'COMMAND_OPTIONS',
      `the input of a command is neither text, bytes, a secret nor a stream`,
    )
  }
  if (used.has(input)) {
    throw new Problem('usage', 'INPUT_USED', 'a stream was given to two commands as their input', {
      hint: 'A stream can be read once: make one for each command.',
    })
  }
  used.add(input)
  return input instanceof Readable ? input : Readable.from(input, { objectMode: false })
}

/** Writes the payload and then the input, as fast as they are taken; ends what is to be ended. */
export function feed(
  stdin: Writable,
  { payload, counted }: Pick<Launch, 'payload' | 'counted'>,
  source: string | Uint8Array | Readable | undefined,
  stop: StopSource,
  alive: () => void,
): void {
  if (payload) stdin.write(payload, alive)
  if (source === undefined) {
    // A loader that counts needs no end, and what has been told of an end hears of no signals (ssh2), or drops what it still holds
    // (script).
    if (payload && !counted) stdin.end()
    return
  }
  if (!(source instanceof Readable)) {
    stdin.end(source, alive)
    return
  }
  void pump(source, stdin, stop, alive)
}

/**
 * Not by pipe(): where a command reads no more, that would go on reading the source into nothing, and one that never waits for
 * anything would then stop the whole process.
 */
async function pump(source: Readable, stdin: Writable, stop: StopSource, alive: () => void): Promise<void> {
  let over = false
  let wake = (): void => undefined
  const shut = (): void => {
    over = true
    wake()
  }
  // What is being stopped must not be completed by what is still on its way; and a TERM that falls between fork and exec is lost
  // (dash), so that only the end of its input lets the other side clean up before the KILL. Uploads check their size.
  const cutOff = (): void => {
    shut()
    stdin.end()
  }
  stdin
    .on('error', shut)
    .on('close', shut)
    .on('drain', () => wake())
  if (stop.now()) cutOff()
  else stop.signal.addEventListener('abort', cutOff, { once: true })
  try {
    for await (const chunk of source) {
      if (isOver()) return
      alive()
      const taken = stdin.write(chunk)
      if (!taken) await new Promise<void>((resolve) => (wake = resolve))
      if (isOver()) return
      alive()
    }
    stdin.end()
  } catch (error) {
    if (!isOver()) stop.because({ error })
  }
  function isOver(): boolean {
    return over
  }
}
