import type { Readable, Writable } from 'node:stream'
import type { StopSource } from './stop.ts'

export interface Pour {
  take(chunk: Buffer): void
  /** The other side cannot follow: silence is not the command's. */
  readonly waiting: boolean
  /** Ends it, and waits until all is written. */
  finish(): Promise<void>
  release(): void
}

/** Passes output on as fast as it is taken. What cannot be written any more ends the command; the rest is still read, or it never would. */
export function createPour(from: Readable, into: Writable, stop: StopSource, alive: () => void): Pour {
  let waiting = false
  let broken = false
  const resume = (): void => {
    waiting = false
    alive()
    from.resume()
  }
  const fail = (error: unknown): void => {
    broken = true
    stop.because({ error })
    resume()
  }
  const closed = (): void => {
    if (!into.writableFinished)
      fail(new Error('what takes the output of a command was closed before the command had ended'))
  }
  const listeners = { error: fail, close: closed, drain: resume }
  for (const [name, listener] of Object.entries(listeners)) into.on(name, listener)
  return {
    take(chunk) {
      if (broken) return
      if (into.destroyed || into.writableEnded) {
        closed()
        return
      }
      if (into.write(chunk)) return
      waiting = true
      from.pause()
    },
    get waiting() {
      return waiting
    },
    finish() {
      return new Promise((resolve) => {
        if (broken || into.destroyed) resolve()
        // These two belong to the process.
        else if (into === process.stdout || into === process.stderr) into.write('', () => resolve())
        else {
          into.once('error', () => resolve())
          into.once('close', () => resolve())
          into.end(() => resolve())
        }
      })
    },
    release() {
      for (const [name, listener] of Object.entries(listeners)) into.off(name, listener)
    },
  }
}
