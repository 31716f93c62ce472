import type { RunInfo, RunProcess } from '@deployfile/core'
import { thisProcess } from './process.ts'

/** Who holds a lock, as its file says. */
export interface LockOwner {
  readonly run: string
  readonly user: string
  /** The process that the run lives in; absent for a lock that somebody set by hand, which no process keeps alive. */
  readonly process?: RunProcess
  /** What it is for, of a lock that was set by hand. */
  readonly message?: string
  /** Seconds since 1970 by the clock of the host where the lock is. */
  readonly since: number
}

/** A lock as a host tells of it. All times are that host's own: two machines' clocks are never compared. */
export interface LockState {
  readonly owner: LockOwner
  /** Counts up whenever the lock passes to another run. */
  readonly turn: number
  /** The text of the owner's file: what must still be there when it is taken over or removed. */
  readonly text: string
  /** When the owner last said that it lives; absent when that is not known. */
  readonly beat?: number
  readonly now: number
}

/**
 * The text of an owner's file without its end, `,"since":…}`, which the host writes. The run comes first: scripts search for
 * {@link ownerStart}.
 */
export function ownerText({ id, user }: RunInfo, manual?: { readonly message?: string | undefined }): string {
  const message = manual?.message
  const about = manual === undefined ? { process: thisProcess() } : message === undefined ? {} : { message }
  // So that the run which sets it by hand does not take it for the lock that it holds while it runs.
  const run = manual === undefined ? id : `${id} by hand`
  return JSON.stringify({ run, user, ...about }).slice(0, -1)
}

/** How the file of a run begins. */
export function ownerStart(run: string): string {
  return `${JSON.stringify({ run }).slice(0, -1)},`
}

/** Reads what {@link LOCK_FUNCTIONS}'s `tell` prints; undefined where nobody holds the lock. */
export function readLock(stdout: string): LockState | undefined {
  const facts = new Map(
    stdout.split('\n').map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]),
  )
  const turn = Number(facts.get('turn') ?? 0)
  if (turn === 0) return undefined
  const text = facts.get('owner') ?? ''
  const beat = Number(facts.get('beat') ?? '')
  return {
    owner: readOwner(text),
    turn,
    text,
    ...(beat > 0 && { beat }),
    now: Number(facts.get('now') ?? 0),
  }
}

/** A file that nobody can read is still somebody's lock. */
function readOwner(text: string): LockOwner {
  try {
    const { run, user, since, process, message } = JSON.parse(text) as Partial<LockOwner>
    return {
      run: String(run),
      user: String(user),
      since: Number(since),
      ...(process !== undefined && { process }),
      ...(message !== undefined && { message: message }),
    }
  } catch {
    return { run: 'unknown', user: 'somebody', since: 0 }
  }
}
