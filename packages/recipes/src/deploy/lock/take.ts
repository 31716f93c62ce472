import { setTimeout as pause } from 'node:timers/promises'
import { isProblem, Problem } from '@deployfile/core'
import { locate, runLocated, type Layout, type OnHost } from '../layout.ts'
import { describeLock, lockHeld } from './describe.ts'
import { ownerStart, ownerText, readLock, type LockState } from './owner.ts'
import { isGone } from './process.ts'
import { TAKE_SCRIPT } from './script.ts'

/** Seconds after an owner's last sign of life in which it is taken for dead, by the clock of the host where the lock is. */
export const SILENT_FOR = 300

/** Milliseconds between two looks at a lock that is waited for. */
const LOOK_AGAIN = 1000

export interface Wanted {
  /** A lock that stays when the run is over, until it is removed by hand. */
  readonly manual?: { readonly message?: string | undefined }
}

/**
 * Takes the lock of a deployment, or takes it over from a run that is surely dead; waits for that of a living one as long as the run
 * may (`--lock-wait`). A relative `deployTo` will do. Returns the owner that it was taken over from.
 * @throws Problem `LOCK_HELD` (check), `HOST_NOT_READY` (check) where the lock cannot be made
 */
export async function takeLock(
  context: OnHost,
  layout: Pick<Layout, 'deployTo'>,
  wanted: Wanted = {},
): Promise<LockState | undefined> {
  const { run, host, signal, log } = context
  const until = performance.now() + (run.lockWait ?? 0)
  let dead: LockState | undefined
  let told: string | undefined
  for (;;) {
    const held = await tryToTake(context, layout, wanted, dead)
    if (held === undefined) {
      if (dead) log(`took the lock over from ${describeLock(dead)}: ${whyDead(dead) ?? ''}`)
      return dead
    }
    const isDead = whyDead(held) !== undefined
    // Judged dead just now and still there: it is taken over with the next try.
    if (isDead && dead?.text !== held.text) {
      dead = held
      continue
    }
    dead = isDead ? held : undefined
    const left = until - performance.now()
    if (left <= 0) throw lockHeld(context, held)
    if (told !== held.text) log(`${host.name}: waiting for the lock of ${describeLock(held)}`)
    told = held.text
    await pause(Math.min(LOOK_AGAIN, left), undefined, { signal })
  }
}

/** Why an owner is surely dead; undefined when it may live. A lock that was set by hand has no life to lose. */
export function whyDead({ owner, beat = 0, now }: LockState): string | undefined {
  if (owner.process === undefined) return undefined
  if (isGone(owner.process)) return `its process ${String(owner.process.pid)} has ended`
  const silent = now - Math.max(beat, owner.since)
  return silent >= SILENT_FOR
    ? `it has not been heard of for ${String(Math.floor(silent / 60))} minutes`
    : undefined
}

async function tryToTake(
  { remote, run, host }: OnHost,
  { deployTo }: Pick<Layout, 'deployTo'>,
  { manual }: Wanted,
  dead: LockState | undefined,
): Promise<LockState | undefined> {
  const values = [
    ...[run.id, ownerText(run, manual), ownerStart(run.id)],
    ...[dead?.text ?? '', String(dead?.turn ?? ''), String(dead?.beat ?? '')],
  ]
  try {
    const purpose = { title: 'take the deploy lock', code: 'HOST_NOT_READY' }
    return readLock((await runLocated(remote, purpose, TAKE_SCRIPT, deployTo, values)).stdout)
  } catch (error) {
    if (!isProblem(error) || error.code !== 'HOST_NOT_READY') throw error
    const { message, details } = error
    throw new Problem('check', 'HOST_NOT_READY', message, {
      ...details,
      hint: `The lock is made in ${(await locate(remote, deployTo)).own}: that must be writable there for ${host.user ?? 'the login'}.`,
    })
  }
}
