/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once after so many milliseconds; the function that it returns calls that off. */
  wait(milliseconds: number, then: () => void): () => void
}

/** A timer keeps the process alive until it fires or is called off: nothing else may be left that would report a body that hangs. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds)
    return () => {
      clearTimeout(timer)
    }
  },
}
