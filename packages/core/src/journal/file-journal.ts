import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { RunEvent } from '../event/event.ts'
import type { Journal } from '../port/journal.ts'

/**
 * A journal in `<dir>/events.jsonl`, one event a line; makes the folder. One `write` an event, so that what was announced has
 * reached the kernel before its work starts and survives a SIGKILL; `sync` is for what must survive a power cut.
 */
export function fileJournal(dir: string): Journal {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = openSync(join(dir, 'events.jsonl'), 'a', 0o600)
  return {
    append: (event: RunEvent) => void writeSync(file, `${JSON.stringify(event)}\n`),
    sync: () => {
      fsyncSync(file)
    },
    close: () => {
      closeSync(file)
    },
  }
}
