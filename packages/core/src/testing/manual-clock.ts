import type { Clock } from '../port/clock.ts'

export interface ManualClock extends Clock {
  /** How many waits (timeouts, delays of retries) are neither over nor called off. */
  readonly pending: number
  /** Lets so many milliseconds pass, and what happens because of it happen. */
  advance(milliseconds: number): Promise<void>
}

/** A clock that starts at `now` (milliseconds since 1970, default 0) and stands still until it is moved. */
export function manualClock(now = 0): ManualClock {
  const waits = new Set<{ readonly at: number; readonly then: () => void }>()
  // Whatever a body does at once is done when the event loop has turned.
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    now: () => now,
    wait(milliseconds, then) {
      const wait = { at: now + milliseconds, then }
      waits.add(wait)
      return () => void waits.delete(wait)
    },
    get pending() {
      return waits.size
    },
    async advance(milliseconds) {
      await settle()
      const end = now + milliseconds
      for (;;) {
        const [next] = [...waits].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (!next) break
        now = next.at
        waits.delete(next)
        next.then()
        await settle()
      }
      now = end
    },
  }
}
