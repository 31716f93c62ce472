import { closeSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import type { RunEvent } from '@deployfile/core'
import { cut } from '../render/width.ts'
import { isAbandoned } from '../run/claim.ts'
import { folderOf, lastEvent, pastRuns } from '../run/past-runs.ts'
import { thisProcess } from '../run/process.ts'

export interface ListedRun {
  readonly id: string
  readonly stage: string
  readonly tasks: readonly string[]
  readonly user: string
  readonly status: string
}

/** The last runs of a config, the newest first. */
export function listRuns(root: string, most = 20): readonly ListedRun[] {
  const me = thisProcess()
  return pastRuns(root)
    .slice(-most)
    .reverse()
    .flatMap((id) => {
      const folder = folderOf(root, id)
      const file = path.join(folder, 'events.jsonl')
      try {
        const { stage, tasks, user } = startOf(file)
        const last = lastEvent(file)
        const running = isAbandoned(folder, me) ? 'killed' : 'running'
        return [{ id, stage, tasks, user, status: last?.type === 'run.ended' ? last.status : running }]
      } catch {
        // Being made, or not readable: nothing can be said of it.
        return []
      }
    })
}

/** A line a run, cut to the screen. */
export function runLines(runs: readonly ListedRun[], columns?: number): string[] {
  if (runs.length === 0) return ['No run yet.']
  const width = Math.max(...runs.map(({ status }) => status.length))
  return runs.map(({ id, stage, tasks, user, status }) =>
    cut(`${id}  ${status.padEnd(width)}  ${stage}: ${tasks.join(' ')}  by ${user}`, columns),
  )
}

// What a list wants stands in front of the plan, which may be large.
const HEAD = 16 * 1024

function startOf(file: string): Extract<RunEvent, { type: 'run.started' }> {
  const handle = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(HEAD)
    const length = readSync(handle, bytes, 0, HEAD, 0)
    const text = bytes.toString('utf8', 0, length)
    const end = text.indexOf(',"run":{')
    const head: unknown = JSON.parse(end === -1 ? (text.split('\n', 1)[0] ?? '') : `${text.slice(0, end)}}`)
    return head as Extract<RunEvent, { type: 'run.started' }>
  } finally {
    closeSync(handle)
  }
}
