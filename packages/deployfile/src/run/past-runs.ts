import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import path from 'node:path'
import { Problem, type RunEvent, type RunProcess } from '@deployfile/core'
import { isAbandoned } from './claim.ts'

/** Ids of the runs of a config, the oldest first: they begin with the time. */
export function pastRuns(root: string): readonly string[] {
  try {
    return readdirSync(path.join(root, '.deployfile/runs'))
      .filter((name) => /^\d{8}T\d{9}Z-/.test(name))
      .sort()
  } catch {
    return []
  }
}

/** `root/.deployfile/runs/<id>` */
export function folderOf(root: string, id: string): string {
  return path.join(root, '.deployfile/runs', id)
}

/**
 * The run that is meant: the last one, or the one whose id is or begins with the word.
 * @throws Problem `RUN_UNKNOWN` (usage)
 */
export function findRun(root: string, word: string | undefined): string {
  const runs = pastRuns(root)
  if (word === undefined) {
    const last = runs.at(-1)
    if (last !== undefined) return last
    throw new Problem('usage', 'RUN_UNKNOWN', `there is no run in ${path.join(root, '.deployfile/runs')}`, {
      hint: 'Runs are kept beside deploy.config.ts, on the machine that started them.',
    })
  }
  const found = runs.filter((id) => id.startsWith(word))
  const [only] = found
  if (only !== undefined && (found.length === 1 || only === word)) return only
  const last = runs.slice(-3).join(', ')
  throw new Problem(
    'usage',
    'RUN_UNKNOWN',
    found.length === 0
      ? `there is no run '${word}'`
      : `'${word}' begins the ids of ${String(found.length)} runs`,
    {
      hint:
        found.length === 0
          ? `deployfile runs lists them${last === '' ? '' : `; the last ones are ${last}`}.`
          : `Write more of it: ${found.slice(-3).join(', ')}.`,
    },
  )
}

/**
 * The last run, when its process is gone and it never said that it ended. Reads only the end of its file: a hint at the start of every
 * command must cost nothing.
 */
export function unfinishedRun(root: string, me: RunProcess): string | undefined {
  const last = pastRuns(root).at(-1)
  if (last === undefined) return undefined
  const folder = folderOf(root, last)
  try {
    const file = path.join(folder, 'events.jsonl')
    const ended = lastEvent(file)?.type === 'run.ended'
    // One that never wrote a whole event did nothing.
    return ended || statSync(file).size === 0 || !isAbandoned(folder, me) ? undefined : last
  } catch {
    // Its folder is being made, or cannot be read.
    return undefined
  }
}

const TAIL = 64 * 1024

/** The last whole event of a file, read from its end; undefined when it is longer than any but the first is, or there is none. */
export function lastEvent(file: string): RunEvent | undefined {
  const handle = openSync(file, 'r')
  try {
    const { size } = fstatSync(handle)
    const length = Math.min(TAIL, size)
    const bytes = Buffer.alloc(length)
    readSync(handle, bytes, 0, length, size - length)
    const end = bytes.lastIndexOf(0x0a)
    const start = end <= 0 ? -1 : bytes.lastIndexOf(0x0a, end - 1)
    // Without an end of line before it, it may be the rest of a longer one.
    if (end === -1 || (start === -1 && length < size)) return undefined
    return JSON.parse(bytes.toString('utf8', start + 1, end)) as RunEvent
  } finally {
    closeSync(handle)
  }
}
