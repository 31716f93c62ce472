import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { RunProcess } from '@deployfile/core'

/** Who carries out a run: this process, so that a later one can tell whether it still lives. */
export function thisProcess(): RunProcess {
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim()
  const namespace = link('/proc/self/ns/pid')
  const startTicks = statOf(process.pid)?.startTicks
  return {
    pid: process.pid,
    host: hostname(),
    ...(boot !== undefined && { boot }),
    ...(namespace !== undefined && { namespace }),
    ...(startTicks !== undefined && { startTicks }),
  }
}

/**
 * Whether a process that was written down still lives, as far as `here` can see. 'unknown': it is on another machine, in another
 * container, or the system tells too little to know it from a later process with the same number.
 */
export function liveness(of: RunProcess, here: RunProcess = thisProcess()): 'alive' | 'dead' | 'unknown' {
  if (of.host !== here.host) return 'unknown'
  // The machine was started anew since.
  if (of.boot !== undefined && here.boot !== undefined && of.boot !== here.boot) return 'dead'
  if (of.boot !== here.boot || of.namespace !== here.namespace) return 'unknown'
  if (!exists(of.pid)) return 'dead'
  const stat = statOf(of.pid)
  // No /proc, or one that hides the processes of others.
  if (!stat || of.startTicks === undefined) return 'unknown'
  return stat.startTicks === of.startTicks && !stat.zombie ? 'alive' : 'dead'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** proc(5): the name stands in parentheses and may contain anything; the state comes after it, the start time is field 22. */
function statOf(pid: number): { readonly startTicks: string; readonly zombie: boolean } | undefined {
  const stat = read(`/proc/${String(pid)}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startTicks = fields?.[22 - 3]
  return startTicks === undefined ? undefined : { startTicks, zombie: fields?.[0] === 'Z' }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function link(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    return undefined
  }
}
