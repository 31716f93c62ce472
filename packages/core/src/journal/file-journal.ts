import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { RunEvent } from '../event/event.ts'
import type { Journal } from '../port/journal.ts'
import { lineOf } from './line.ts'

/**
 * A journal in `<dir>/events.jsonl`, one event a line; makes the folder. Events of one turn of the event loop are written together:
 * what was announced has reached the kernel before its work starts and survives a SIGKILL; `sync` is for what must survive a power cut.
 * `keep`: how many bytes of what is there already are whole lines, as `readRun` says; what follows them is cut off. Default: all.
 */
export function fileJournal(dir: string, keep?: number): Journal {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = openSync(join(dir, 'events.jsonl'), 'a', 0o600)
  if (keep !== undefined && fstatSync(file).size > keep) ftruncateSync(file, keep)
  let pending = ''
  let turn: NodeJS.Immediate | undefined
  let lost: { readonly reason: unknown } | undefined
  const write = (text: string): void => {
    if (lost) throw lost.reason
    try {
      writeAll(file, text)
    } catch (reason) {
      // After half a line nothing whole can follow.
      lost = { reason }
      throw reason
    }
  }
  const flush = (): void => {
    if (lost) throw lost.reason
    if (pending === '') return
    const text = pending
    pending = ''
    write(text)
  }
  return {
    append(event: RunEvent) {
      const line = lineOf(event)
      if (line.length < LONG) pending += `${line}\n`
      else {
        // Put together with anything it would be copied as a whole, and the plan of a large run is many megabytes.
        flush()
        write(line)
        pending = '\n'
      }
      // What announces nothing, a body's end or a line of output, must not wait for the next body to start.
      turn ??= setImmediate(() => {
        turn = undefined
        // Nobody is there to be told; whoever writes next is.
        try {
          flush()
        } catch {
          return
        }
      })
    },
    flush,
    sync() {
      flush()
      fsyncSync(file)
    },
    close() {
      if (turn) clearImmediate(turn)
      try {
        // Of what was lost before, the run has been told.
        if (!lost) flush()
      } finally {
        closeSync(file)
      }
    },
  }
}

/** Characters from which a line is written by itself. */
const LONG = 65_536

function writeAll(file: number, text: string): void {
  let written = writeSync(file, text)
  // A full disk or a signal may cut a write short; the text as bytes is wanted only then.
  if (written === Buffer.byteLength(text)) return
  const bytes = Buffer.from(text)
  while (written < bytes.length) written += writeSync(file, bytes, written)
}
