import type { SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import { DURATION_HINT, milliseconds, type Duration } from './duration.ts'

/** How long a body may take. What does the work is the executor. */
export interface Pace {
  /**
   * The longest that `run` may take; also for `undo` and `finally`, each by itself (an hour without it). Then its signal is aborted,
   * and after the config's `grace` the run goes on without it. Default: none for `run`.
   */
  readonly timeout?: Duration
}

export const PACE_KEYS: readonly (keyof Pace)[] = ['timeout']

/** @throws Problem `TASK_INVALID` (usage) for a value that cannot be kept to */
export function checkPace(name: string, pace: Pace, location: SourceLocation | undefined): void {
  const fail = (key: keyof Pace, what: string, hint: string): never => {
    throw new Problem('usage', 'TASK_INVALID', `${key} of the task '${name}' ${what}`, {
      location,
      key,
      hint,
    })
  }
  const { timeout } = pace
  if (timeout !== undefined && milliseconds(timeout) === undefined)
    fail('timeout', `is ${JSON.stringify(timeout)}`, DURATION_HINT)
}
