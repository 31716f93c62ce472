import { isProblem, type Problem } from '@deployfile/core'

/** The problem that something throws; anything else that is thrown, or nothing, fails the test. */
export function problemOf(make: () => unknown): Problem {
  try {
    make()
  } catch (thrown) {
    if (isProblem(thrown)) return thrown
    throw thrown
  }
  throw new Error('nothing was thrown')
}
