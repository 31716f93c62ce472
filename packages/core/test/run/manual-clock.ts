import type { Clock } from '@deployfile/core'

export interface ManualClock extends Clock {
  /** How many waits are neither over nor called off. */
  readonly pending: number
  /** Lets time pass, and what happens because of it happen. */
  advance(milliseconds: number): Promise<void>
}

/** A clock that stands still until the test moves it. */
export function manualClock(): ManualClock {
  let now = 0
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
        const due = [...waits].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        const [next] = due
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
