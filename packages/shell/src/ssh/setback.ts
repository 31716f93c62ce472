import type { Problem } from '@deployfile/core'

/** One try to connect came to nothing. */
export class Setback extends Error {
  readonly problem: Problem
  /**
   * What another try is good for. 'again': nothing was said yet. 'other-key': the host may have another host key, which fits.
   * 'unlock': the host would take a key that is still locked. Undefined: nothing.
   */
  readonly remedy: 'again' | 'other-key' | 'unlock' | undefined
  constructor(problem: Problem, remedy?: Setback['remedy']) {
    super(problem.message)
    this.problem = problem
    this.remedy = remedy
  }
}
