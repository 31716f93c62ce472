import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { Problem, type Question, type RunProcess } from '@deployfile/core'
import { liveness } from './process.ts'

/** The right to write to a run's folder. */
export interface Claim {
  /** Gives it back: while the process lives, others would take the run for running. */
  release(): void
}

interface Owner {
  readonly number: number
  /** Undefined when the file cannot be read. */
  readonly process: RunProcess | undefined
  readonly since: Date
  readonly released: boolean
}

/**
 * Takes a run over: whoever makes the next of the files `owner.1`, `owner.2`, … has it, and nobody makes one while the last owner lives,
 * so of two who want it at the same time one gets it. `ask` is put the question where nobody can see whether the last owner lives.
 * @throws Problem `RUN_ALIVE` (usage) when another process has it; what `ask` throws
 */
export async function claimRun(
  folder: string,
  me: RunProcess,
  ask: (question: Question) => Promise<void>,
): Promise<Claim> {
  for (;;) {
    const last = lastOwner(folder)
    if (last && !last.released) await checkGone(folder, last, me, ask)
    const claim = tryClaim(folder, (last?.number ?? 0) + 1, me)
    // Somebody else was quicker: look again.
    if (claim) return claim
  }
}

/** Whether the last owner of a run is known to be gone, for a hint; never asks. */
export function isAbandoned(folder: string, me: RunProcess): boolean {
  const last = lastOwner(folder)
  return !last || last.released || (last.process !== undefined && liveness(last.process, me) === 'dead')
}

async function checkGone(
  folder: string,
  { process: owner, since }: Owner,
  me: RunProcess,
  ask: (question: Question) => Promise<void>,
): Promise<void> {
  const id = path.basename(folder)
  const state = owner ? liveness(owner, me) : 'unknown'
  if (state === 'dead') return
  const who = owner ? `process ${String(owner.pid)} on ${owner.host}` : 'a process that left no name'
  const at = since.toISOString().replace('T', ' ').slice(0, 19)
  if (state === 'alive') {
    throw new Problem('usage', 'RUN_ALIVE', `the run ${id} is still running: ${who}, since ${at} UTC`, {
      hint: owner
        ? `Wait until it ends, or stop it there: kill -INT ${String(owner.pid)}`
        : 'Wait until it ends.',
    })
  }
  await ask({
    message: `The run ${id} may still be running: ${who}, since ${at} UTC, and it cannot be seen from here.\nLook for it there before you go on: two that write at the same time destroy each other's work.`,
    answer: owner?.host ?? 'gone',
  })
}

const OWNER = /^owner\.(\d+)$/

function lastOwner(folder: string): Owner | undefined {
  const names = readdirSync(folder)
  const number = Math.max(0, ...names.map((name) => Number(OWNER.exec(name)?.[1] ?? 0)))
  if (number === 0) return undefined
  const file = path.join(folder, `owner.${String(number)}`)
  const since = statSync(file).mtime
  return { number, process: readOwner(file), since, released: names.includes(`owner.${String(number)}.over`) }
}

function readOwner(file: string): RunProcess | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<RunProcess> | null
    return typeof value?.pid === 'number' && typeof value.host === 'string'
      ? (value as RunProcess)
      : undefined
  } catch {
    return undefined
  }
}

/** Undefined when there is such an owner already. Written apart and linked, so that no owner's file is ever seen empty. */
function tryClaim(folder: string, number: number, me: RunProcess): Claim | undefined {
  const file = path.join(folder, `owner.${String(number)}`)
  const draft = path.join(folder, `.owner.${String(me.pid)}.${String(process.hrtime.bigint())}`)
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeFileSync(handle, JSON.stringify(me))
    fsyncSync(handle)
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  } finally {
    closeSync(handle)
    rmSync(draft, { force: true })
  }
  return {
    release() {
      try {
        writeFileSync(`${file}.over`, '', { mode: 0o600 })
      } catch {
        // A full disk: the run counts as running until this process ends.
      }
    },
  }
}
