// Milliseconds of processor time as Linux tells them (proc(5), stat), in steps of 10; NaN elsewhere.
import { readFileSync } from 'node:fs'

/** USER_HZ is 100 on every Linux. */
const TICK = 10
const UTIME = 11

function ticks(pid: number, first: number): number {
  try {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[first]) + Number(fields[first + 1])) * TICK
  } catch {
    return Number.NaN
  }
}

/** Of the process itself. */
export function cpuOf(pid: number): number {
  return ticks(pid, UTIME)
}

/** Of all its children that have ended, and theirs. */
export function endedChildrenOf(pid: number): number {
  return ticks(pid, UTIME + 2)
}

/** Until every child of it has ended, so that all they used is told. */
export async function untilChildless(pid: number): Promise<void> {
  const file = `/proc/${String(pid)}/task/${String(pid)}/children`
  for (let tries = 0; tries < 500; tries++) {
    try {
      if (readFileSync(file, 'utf8').trim() === '') return
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
