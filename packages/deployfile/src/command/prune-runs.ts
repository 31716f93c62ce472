import { rmSync } from 'node:fs'
import path from 'node:path'
import { Problem } from '@deployfile/core'
import type { Given } from './given.ts'
import { print } from '../cli/terminal.ts'
import { count } from '../render/duration.ts'
import { isAbandoned } from '../run/claim.ts'
import { folderOf, lastEvent, pastRuns } from '../run/past-runs.ts'
import { thisProcess } from '../run/process.ts'

export interface Keep {
  /** So many of the newest runs stay, however old they are. */
  readonly runs: number
  /** And those that were started within so many days. */
  readonly days: number
}

const KEEP: Keep = { runs: 50, days: 30 }

const DAY = 24 * 60 * 60 * 1000

/**
 * Deletes runs that are neither among the newest nor young. What has not ended (it may be running, or be resumed or undone) stays.
 * Returns the ids of those that are gone.
 */
export function pruneRuns(root: string, keep: Keep = KEEP, now = Date.now()): readonly string[] {
  const me = thisProcess()
  const old = pastRuns(root)
    .slice(0, -keep.runs || undefined)
    .filter((id) => now - startOf(id) > keep.days * DAY)
  return old.filter((id) => {
    const folder = folderOf(root, id)
    try {
      if (!isAbandoned(folder, me) || lastEvent(path.join(folder, 'events.jsonl'))?.type !== 'run.ended')
        return false
      rmSync(folder, { recursive: true })
      return true
    } catch {
      // Somebody else's, or being deleted at the same time.
      return false
    }
  })
}

/** `runs prune`. */
export function pruneCommand({ line, terminal }: Given, root: string, words: readonly string[]): number {
  const numbers: Record<'keep' | 'days', number> = { keep: KEEP.runs, days: KEEP.days }
  for (const word of words) {
    const [, key, text] = /^(?:--)?(keep|days)=(\d+)$/.exec(word) ?? []
    if (key === undefined) {
      throw new Problem('usage', 'WORD_UNKNOWN', `'runs prune' does not know '${word}'`, {
        hint: `It takes keep=${String(KEEP.runs)} and days=${String(KEEP.days)}, each a whole number.`,
      })
    }
    numbers[key as 'keep' | 'days'] = Number(text)
  }
  const gone = pruneRuns(root, { runs: numbers.keep, days: numbers.days })
  const left = pastRuns(root).length
  const text = `Deleted ${count(gone.length, 'run')}; ${String(left)} ${left === 1 ? 'is' : 'are'} kept.`
  print(terminal, [line.json ? JSON.stringify({ deleted: gone, kept: left }, null, 2) : text])
  return 0
}

/** Ids begin with the time: 20261123T181502123Z. */
function startOf(id: string): number {
  const time = id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z.*$/, '$1-$2-$3T$4:$5:$6.$7Z')
  return Date.parse(time)
}
