import path from 'node:path'
import {
  execute,
  undoRecorded,
  type Catalog,
  type ExecuteOptions,
  type Host,
  type Plan,
  type RecordedRun,
  type RunInfo,
  type RunOutcome,
  type RunProcess,
} from '@deployfile/core'
import { claimRun, type Claim } from './claim.ts'
import { openDoors, type People } from './doors.ts'
import { thisProcess } from './process.ts'
import { runInfo } from './run-info.ts'
import { sourcesOf } from './sources.ts'
import { makeRunFolder } from './state-folder.ts'

/** A run that this process has, and has not begun yet: a new one, one to go on with, or one to undo. */
export interface Work {
  readonly catalog: Catalog
  readonly plan: Plan
  readonly run: RunInfo
  /** Of its events. */
  readonly folder: string
  readonly sources: Readonly<Record<string, string>>
  readonly process: RunProcess
  readonly claim: Claim
  /** What an earlier process did of it, with how many bytes of its events are whole lines. */
  readonly before?: {
    readonly mode: 'resume' | 'undo'
    readonly recorded: RecordedRun
    readonly bytes: number
  }
}

export interface Place {
  readonly catalog: Catalog
  /** Of the config; undefined for one that a program made. */
  readonly config: string | undefined
  /** Where relative paths start and `.deployfile` stands. */
  readonly root: string
}

/**
 * Makes the folder of a new run.
 * @throws Problem `STATE_NOT_WRITABLE` (check)
 */
export async function newWork(plan: Plan, place: Place, env: NodeJS.ProcessEnv): Promise<Work> {
  const { catalog, config, root } = place
  const run = await runInfo(root, env)
  const folder = makeRunFolder(root, run.id)
  const process = thisProcess()
  const claim = await claimRun(folder, process, () => Promise.resolve())
  return { catalog, plan, run, folder, process, claim, sources: sourcesOf(catalog, config, root) }
}

/** Those on which something of a plan is run, in its order. */
function hostsOf({ nodes }: Plan, { stages }: Catalog): readonly Host[] {
  const used = new Set<Host>()
  const byName = new Map(
    [...stages].map(([name, { hosts }]) => [name, new Map(hosts.map((one) => [one.name, one]))]),
  )
  for (const { kind, milestone, skip, stage, host } of nodes) {
    if (kind !== 'task' || milestone || skip !== undefined || host === undefined) continue
    const found = byName.get(stage)?.get(host)
    if (found) used.add(found)
  }
  return [...used]
}

/** The file of the events of a run. */
export function logOf({ folder }: Pick<Work, 'folder'>): string {
  return path.join(folder, 'events.jsonl')
}

type Surroundings = Omit<
  ExecuteOptions,
  'catalog' | 'shells' | 'run' | 'journal' | 'sources' | 'process' | 'resumed'
> &
  Pick<RunInfo, 'lockWait'>

/** Runs it, or undoes it, and gives it back. */
export async function carryOut(
  work: Work,
  { lockWait, ...surroundings }: Surroundings,
  people?: People,
): Promise<RunOutcome> {
  const { catalog, plan, before, sources, process, claim } = work
  const run = { ...work.run, ...(lockWait !== undefined && { lockWait }) }
  try {
    // One that goes on may use few of them, and one that undoes too.
    const hosts = before ? [] : hostsOf(plan, catalog)
    const doors = openDoors(run, work.folder, hosts, before?.bytes, people)
    const { journal, shells } = doors
    const options = { ...surroundings, catalog, run, sources, process, journal, shells }
    try {
      if (!before) return await execute(plan, options)
      if (before.mode === 'undo') return await undoRecorded(before.recorded, options)
      return await execute(plan, { ...options, resumed: before.recorded })
    } finally {
      await doors.close()
    }
  } finally {
    claim.release()
  }
}
