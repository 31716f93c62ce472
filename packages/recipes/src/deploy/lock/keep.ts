import { Problem, type Shell } from '@deployfile/core'
import { locate, type Layout, type OnHost } from '../layout.ts'
import { runSteps } from '../step.ts'
import { typed } from '../typed.ts'
import { describeLock } from './describe.ts'
import { startHeartbeat, type Heartbeat } from './heartbeat.ts'
import { ownerStart, readLock, type LockState } from './owner.ts'
import { isThisProcess } from './process.ts'
import { BEAT_SCRIPT, REMOVE_SCRIPT } from './script.ts'
import { takeLock } from './take.ts'

// The heartbeats of this process, by run and lock. Where the bodies of one run are entered in several processes, each that has looked
// at the lock keeps it alive; a beat ends by itself when the lock is no longer the run's.
const beating = new Map<string, Heartbeat>()

function keyOf({ run, host }: OnHost, { own }: Layout): string {
  return JSON.stringify([run.id, host.stage, host.name, own])
}

/** Milliseconds for one sign of life, so that a connection that hangs does not hold up the next. */
const BEAT_WITHIN = 15_000

/**
 * Tells the host again and again that this run lives, until {@link releaseLock}. Its shell must be one that an interrupt does not
 * stop, since a run lives on while it takes back: that of a task with a timeout, whose bodies have a signal of their own, which
 * nobody aborts once they have ended.
 */
export function keepAlive(context: OnHost, layout: Layout, every?: number): void {
  const key = keyOf(context, layout)
  if (beating.has(key)) return
  const remote = context.remote.with({ timeout: BEAT_WITHIN })
  const { id } = context.run
  const heart = startHeartbeat(async () => (await beat(remote, id, layout)).ours, every)
  beating.set(key, heart)
}

/**
 * The lock must still be this run's, whatever has happened since it was taken: another may have judged it dead, or somebody has
 * removed it. A run that goes on in another process takes its own lock up again here.
 * @throws Problem `LOCK_LOST` (task)
 */
export async function confirmLock(context: OnHost, layout: Layout): Promise<void> {
  const { remote, run, host } = context
  const { ours, lock } = await beat(remote, run.id, layout)
  if (!ours || lock === undefined) {
    const message =
      lock === undefined
        ? `${host.name}: the deploy lock of this run is gone: somebody has removed it`
        : `${host.name}: the deploy lock was taken over by ${describeLock(lock)}`
    throw new Problem('task', 'LOCK_LOST', message, {
      host: host.name,
      hint: `See who deploys, then start again: ${typed(context, 'deploy:lock:status')}`,
    })
  }
  if (lock.owner.process && !isThisProcess(lock.owner.process)) await takeLock(context, layout)
  keepAlive(context, layout)
}

/** {@link confirmLock} where this process does not keep the lock alive yet: a run that was resumed. */
export async function resumeLock(context: OnHost, layout: Layout): Promise<void> {
  if (!beating.has(keyOf(context, layout))) await confirmLock(context, layout)
}

interface Beat {
  readonly ours: boolean
  readonly lock: LockState | undefined
}

async function beat(remote: Shell, run: string, { deployTo }: Layout): Promise<Beat> {
  const purpose = { title: 'keep the deploy lock', code: 'LOCK_UNKNOWN' }
  const { stdout } = await runSteps(remote, purpose, BEAT_SCRIPT, [deployTo, run, ownerStart(run)])
  return { ours: stdout.startsWith('ours\t'), lock: readLock(stdout) }
}

/**
 * Gives the lock back if it is this run's; leaves that of another alone. Never throws: what the run was for is over by then, and a
 * lock whose owner is gone is taken over.
 */
export async function releaseLock(context: OnHost, deployTo: string): Promise<void> {
  const { run, host, remote, log } = context
  let heart: Heartbeat | undefined
  try {
    const layout = await locate(remote, deployTo)
    const key = keyOf(context, layout)
    heart = beating.get(key)
    beating.delete(key)
    await heart?.stop()
    await removeLock(context, layout, ownerStart(run.id))
  } catch (error) {
    if (!heart) return
    const why = error instanceof Error ? error.message : String(error)
    log(
      `the deploy lock on ${host.name} could not be given back (${why}): the next deploy from this machine takes it over, any other one in 5 minutes`,
    )
  }
}

/**
 * Removes the lock whose owner's file begins with `start`. Returns that of another that stands there instead, or undefined when none
 * is left.
 */
export async function removeLock(
  { remote, run }: OnHost,
  { deployTo }: Layout,
  start: string,
  turn?: number,
): Promise<LockState | undefined> {
  const purpose = { title: 'give the deploy lock back', code: 'UNLOCK_FAILED' }
  const values = [deployTo, run.id, start, String(turn ?? '')]
  const { stdout } = await runSteps(remote, purpose, REMOVE_SCRIPT, values)
  return readLock(stdout)
}
