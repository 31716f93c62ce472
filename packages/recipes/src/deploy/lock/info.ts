import type { LockState } from './owner.ts'
import { whyDead } from './take.ts'

/** The lock that a run holds. */
export interface HeldLock {
  /** The host where it is. */
  readonly host: string
  /** The run that it was taken over from, which had died. */
  readonly from?: string
}

/** What is known of a lock; times by the clock of its host, ISO 8601. */
export interface LockInfo {
  readonly host: string
  readonly locked: boolean
  readonly user?: string
  readonly run?: string
  /** Of a lock that was set by hand. */
  readonly message?: string
  readonly since?: string
  readonly lastHeardOf?: string
  /** Why the run that holds it is surely dead: the next deploy takes it over. */
  readonly dead?: string
}

export function infoOf(host: string, state: LockState | undefined): LockInfo {
  if (!state) return { host, locked: false }
  const { owner, beat } = state
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString()
  const dead = whyDead(state)
  return {
    ...{ host, locked: true, user: owner.user, run: owner.run, since: time(owner.since) },
    ...(owner.message !== undefined && { message: owner.message }),
    ...(beat !== undefined && owner.process && { lastHeardOf: time(beat) }),
    ...(dead !== undefined && { dead }),
  }
}
