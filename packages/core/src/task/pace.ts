import type { SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import { whyNoRetry, type Retry } from './retry.ts'
import { whyNoRolling, type Rolling } from './rolling.ts'
import { DURATION_HINT, milliseconds, type Duration } from './duration.ts'

/** How long a body may take, and how often it may be tried. What does the work is the executor. */
export interface Pace {
  /**
   * The longest that `run` may take; also for `undo` and `finally`, each by itself (an hour without it). Then its signal is aborted,
   * and after the config's `grace` the run goes on without it. Default: none for `run`.
   */
  readonly timeout?: Duration
  /**
   * A body that failed is entered again, with a fresh context and its whole timeout. Not after a stop, an interrupt, or when it may
   * still be running. `undo` runs once, after the last attempt.
   */
  readonly retry?: Retry
  /**
   * Names of locks that are held, all at once, while `run`, `undo` and `finally` run (delays between attempts included): of all nodes
   * of a run that have one, as many run at a time as the config's `pools` say, by default one.
   */
  readonly lock?: string | readonly string[]
  /**
   * Its hosts one batch after the other; a batch ends with the task's after-hooks, so a health check among them gates the next one. No
   * batch follows one that has a host which did not end well, but for `maxFail`. Default: all hosts as soon as each can.
   */
  readonly rolling?: Rolling
}

export const PACE_KEYS: readonly (keyof Pace)[] = ['timeout', 'retry', 'lock', 'rolling']

/** @throws Problem `TASK_INVALID` (usage) for a value that cannot be kept to */
export function checkPace(
  name: string,
  pace: Pace & { readonly onError?: unknown },
  location: SourceLocation | undefined,
): void {
  const fail = (key: keyof Pace, what: string, hint: string): never => {
    throw new Problem('usage', 'TASK_INVALID', `${key} of the task '${name}' ${what}`, {
      location,
      key,
      hint,
    })
  }
  const { timeout, retry, lock, rolling } = pace
  if (timeout !== undefined && milliseconds(timeout) === undefined)
    fail('timeout', `is ${JSON.stringify(timeout)}`, DURATION_HINT)
  const wrong = retry === undefined ? undefined : whyNoRetry(retry)
  if (wrong) fail('retry', wrong.what, wrong.hint)
  const uneven = rolling === undefined ? undefined : whyNoRolling(rolling)
  if (uneven) fail('rolling', uneven.what, uneven.hint)
  if (rolling?.maxFail !== undefined && pace.onError !== 'warn') {
    throw new Problem(
      'usage',
      'TASK_INVALID',
      `rolling.maxFail of the task '${name}' counts hosts that may end warned`,
      { location, key: 'maxFail', hint: "Add onError: 'warn', or take maxFail out: no host may fail then." },
    )
  }
  const names: readonly unknown[] = lock === undefined ? [] : [lock].flat()
  if (
    lock !== undefined &&
    (names.length === 0 || names.some((each) => typeof each !== 'string' || each === ''))
  )
    fail('lock', `is ${JSON.stringify(lock)}`, "Write a name or a list of names: 'db', ['db', 'cache'].")
}
