import type { Clock } from '../port/clock.ts'
import type { JobEnd } from '../port/executor.ts'
import { Problem } from '../problem/problem.ts'
import { showDuration } from '../task/duration.ts'

/** How one entry into a body ended. 'abandoned': it was told to stop, did not, and may still be running. */
export type Ended =
  | Extract<JobEnd, { kind: 'returned' }>
  /** `timedOut`: because it was stopped by its own timeout. */
  | (Extract<JobEnd, { kind: 'threw' }> & { readonly timedOut?: boolean })
  | { readonly kind: 'abandoned'; readonly thrown: Problem; readonly timedOut?: boolean }

export interface Bounds {
  /** For messages. */
  readonly node: string
  readonly host: string | undefined
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeout: number | undefined
  /** Milliseconds to stop in, after the timeout or an abort of `signal`. */
  readonly grace: number
  readonly signal: AbortSignal
  readonly clock: Clock
  /** What else has to end before the body has; undefined for nothing. */
  readonly drain: (ended: JobEnd) => Promise<JobEnd> | undefined
}

/**
 * How a body that runs ends, at the latest when its timeout and grace are over or grace after an abort. `own` is what its timeout
 * aborts. Never rejects.
 */
export function watch(
  bounds: Bounds,
  own: AbortController | undefined,
  running: Promise<JobEnd>,
): Promise<Ended> {
  const { clock, grace, timeout, signal } = bounds
  return new Promise<Ended>((resolve) => {
    let late: Problem | undefined
    let callOff = (): void => undefined
    const end = (ended: Ended): void => {
      callOff()
      signal.removeEventListener('abort', onAbort)
      resolve(ended)
    }
    const allowGrace = (): void => {
      callOff()
      callOff = clock.wait(grace, () => {
        const timedOut = late !== undefined
        end({ kind: 'abandoned', thrown: abandoned(bounds, timedOut), timedOut })
      })
    }
    const onAbort = (): void => {
      // After its timeout it is stopping already.
      if (late) return
      allowGrace()
      own?.abort(signal.reason)
    }
    const expire = (): void => {
      late = timedOut(bounds)
      allowGrace()
      own?.abort(late)
    }
    if (timeout !== undefined) callOff = clock.wait(timeout, expire)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    const settled = (ended: JobEnd): void => {
      end(late ? { kind: 'threw', thrown: late, timedOut: true } : ended)
    }
    const drain = (ended: JobEnd): void => {
      const more = bounds.drain(ended)
      if (more) more.then(settled, rejected)
      else settled(ended)
    }
    const rejected = (thrown: unknown): void => {
      settled({ kind: 'threw', thrown })
    }
    running.then(drain, rejected)
  })
}

function timedOut({ node, timeout = 0, host }: Bounds): Problem {
  return new Problem(
    'task',
    'TASK_TIMEOUT',
    `'${node}' did not end within its timeout of ${showDuration(timeout)}`,
    {
      host,
      key: 'timeout',
      hint: 'Find out what it waits for, or give the task a longer timeout.',
    },
  )
}

function abandoned({ node, timeout, grace, host }: Bounds, late: boolean): Problem {
  const told = late ? `its timeout of ${showDuration(timeout ?? 0)}` : 'it was told to'
  return new Problem(
    'task',
    'TASK_ABANDONED',
    `'${node}' did not stop within ${showDuration(grace)} after ${told}: it may still be running`,
    {
      host,
      hint: `Look for it on ${host ?? 'this machine'} before anything is run again: neither it nor what it needs there was undone.`,
    },
  )
}
