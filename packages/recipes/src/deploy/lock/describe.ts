import { Problem } from '@deployfile/core'
import type { OnHost } from '../layout.ts'
import { typed } from '../typed.ts'
import type { LockState } from './owner.ts'

/** `Alice's run 2026…-3f9a since 2026-11-23 12:03:11 UTC (4 minutes ago), process 4711 on alice-laptop, last heard of 8 seconds ago`. */
export function describeLock({ owner, beat, now }: LockState): string {
  const { user, run, process, message, since } = owner
  const begun = since > 0 ? ` since ${showTime(since)} (${ago(now - since)})` : ''
  if (process === undefined) return `${user}${begun}${message === undefined ? '' : `: ${message}`}`
  const heard = beat === undefined ? '' : `, last heard of ${ago(now - beat)}`
  return `${user}${begun}, run ${run}, process ${String(process.pid)} on ${process.host}${heard}`
}

/** What a run that may not go on is told: whose the lock is, since when, from where, and what to type. */
export function lockHeld(context: Pick<OnHost, 'host' | 'stage' | 'task'>, state: LockState): Problem {
  const { host } = context
  const unlock = typed(context, 'deploy:unlock')
  const manual = state.owner.process === undefined
  const hint = manual
    ? `When that is over: ${unlock}`
    : `Wait for it: add --lock-wait 10m. If that run is dead, its lock is taken over 5 minutes after it was last heard of; at once: ${unlock}`
  return new Problem('check', 'LOCK_HELD', `${host.name}: deploys are locked by ${describeLock(state)}`, {
    host: host.name,
    hint,
  })
}

function showTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** Clocks can be set back: what lies in the future is now. */
export function ago(seconds: number): string {
  const past = Math.max(0, Math.round(seconds))
  if (past < 2) return 'just now'
  if (past < 120) return `${String(past)} seconds ago`
  if (past < 7200) return `${String(Math.floor(past / 60))} minutes ago`
  if (past < 172_800) return `${String(Math.floor(past / 3600))} hours ago`
  return `${String(Math.floor(past / 86_400))} days ago`
}
