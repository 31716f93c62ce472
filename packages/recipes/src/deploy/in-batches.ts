import { batchSize, selectHosts } from '@deployfile/core'
import type { OnHost } from './layout.ts'
import type { DeployOptions } from './options.ts'

interface Line {
  free: number
  readonly waiting: (() => void)[]
}

// By run and task. Where the bodies of one run are entered in several processes, each of them has a line of its own.
const lines = new Map<string, Line>()

/**
 * Does something on as many hosts at a time as one batch of `rolling` has: on all of them without it. Who fails makes room for the next
 * one, and nobody waits for `rolling.wait`: this is for what must be over soon.
 */
export async function inBatches<T>(
  { run, stage, task, hosts }: OnHost,
  { rolling, on }: Pick<DeployOptions, 'rolling' | 'on'>,
  act: () => Promise<T>,
): Promise<T> {
  if (!rolling) return act()
  const key = JSON.stringify([run.id, stage.name, task])
  const count = (on === undefined ? hosts : selectHosts(on, hosts)).length
  const line = lines.get(key) ?? { free: batchSize(rolling, count), waiting: [] }
  lines.set(key, line)
  if (line.free > 0) line.free--
  else await new Promise<void>((resume) => line.waiting.push(resume))
  try {
    return await act()
  } finally {
    const next = line.waiting.shift()
    if (next) next()
    else if (++line.free === batchSize(rolling, count)) lines.delete(key)
  }
}
