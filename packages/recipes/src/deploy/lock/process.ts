import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { RunProcess } from '@deployfile/core'

/** What names this process for good: a pid alone is given again, after a reboot and in every container. */
export function thisProcess(): RunProcess {
  const [boot, namespace, startTicks] = [readBoot(), readNamespace(), startOf(process.pid)]
  return {
    pid: process.pid,
    host: hostname(),
    ...(boot !== undefined && { boot }),
    ...(namespace !== undefined && { namespace }),
    ...(startTicks !== undefined && { startTicks }),
  }
}

/**
 * Has a process surely ended? Only this machine can know of its own: same name, same start of the system, same pid namespace. In
 * every other case the answer is no, which means "nobody here can tell".
 */
export function isGone(other: RunProcess, here: RunProcess = thisProcess()): boolean {
  const { boot, namespace } = here
  if (boot === undefined || namespace === undefined) return false
  if (other.host !== here.host || other.boot !== boot || other.namespace !== namespace) return false
  if (!exists(other.pid)) return true
  const start = startOf(other.pid)
  return start !== undefined && other.startTicks !== undefined && start !== other.startTicks
}

export function isThisProcess(other: RunProcess): boolean {
  const here = thisProcess()
  return KEYS.every((key) => other[key] === here[key])
}

const KEYS = ['pid', 'host', 'boot', 'namespace', 'startTicks'] as const

// Asked by a signal and not by /proc, which may hide the processes of other users.
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
  return stat(pid)?.[0] !== 'Z'
}

/** Field 22 of /proc/<pid>/stat: when it was started, in ticks since the system was. */
function startOf(pid: number): string | undefined {
  return stat(pid)?.[19]
}

/** The fields from the third on; the second, the program's name in brackets, may itself hold blanks and brackets. */
function stat(pid: number): readonly string[] | undefined {
  const text = read(() => readFileSync(`/proc/${String(pid)}/stat`, 'utf8'))
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readBoot(): string | undefined {
  return read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
}

function readNamespace(): string | undefined {
  return read(() => readlinkSync('/proc/self/ns/pid'))
}

function read(from: () => string): string | undefined {
  try {
    return from()
  } catch {
    // No such process, or no /proc at all (macOS).
    return undefined
  }
}
