import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { RunEvent } from '../event/event.ts'
import { Problem } from '../problem/problem.ts'
import { eventOf } from './line.ts'
import type { RecordedRun } from './recorded-run.ts'
import { replay } from './replay.ts'

/** A recorded run, and how much of its file is whole: a process that is killed in a write leaves half a line. */
export interface ReadRun {
  readonly recorded: RecordedRun
  /** Up to the end of the last whole line. What comes after is cut off before anything is added: see `fileJournal`. */
  readonly bytes: number
}

/**
 * Reads what a `fileJournal` has written in `dir`; the file is not changed, and not held in memory.
 * @throws Problem (check) `JOURNAL_MISSING`, `JOURNAL_BROKEN` with the line, `SECRET_UNKNOWN`
 */
export async function readRun(dir: string): Promise<ReadRun> {
  const file = join(dir, 'events.jsonl')
  const read = { bytes: 0, line: 0 }
  try {
    const recorded = await replay(eventsOf(file, read))
    return { recorded, bytes: read.bytes }
  } catch (thrown) {
    throw placed(thrown, file, read.line)
  }
}

async function* eventsOf(
  file: string,
  read: { bytes: number; line: number },
): AsyncGenerator<RunEvent, void, undefined> {
  // Pieces of a line that is longer than one read: the plan of a large run is.
  let pieces: Buffer[] = []
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...pieces, chunk.subarray(start, end)])
      pieces = []
      start = end + 1
      read.line++
      yield eventOf(line.toString())
      read.bytes += line.length + 1
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  }
}

const NEWLINE = 0x0a

function placed(thrown: unknown, file: string, line: number): unknown {
  if (thrown instanceof SyntaxError) {
    return new Problem(
      'check',
      'JOURNAL_BROKEN',
      `line ${String(line)} of ${file} is not an event of a run`,
      {
        hint: 'Something else has written to it. The run can neither be resumed nor undone; what it did stays as it is.',
        cause: thrown,
      },
    )
  }
  const { code, message } = thrown as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
    return new Problem('check', 'JOURNAL_MISSING', `the log of the run cannot be read: ${message}`, {
      hint: 'Without it the run can neither be resumed nor undone.',
      cause: thrown,
    })
  }
  if (thrown instanceof Problem && thrown.code === 'JOURNAL_BROKEN') {
    const where = line === 0 ? file : `line ${String(line)} of ${file}`
    return new Problem(thrown.kind, thrown.code, `${thrown.message} (${where})`, thrown.details)
  }
  return thrown
}
