import { isProblem } from '@deployfile/core'
import type { Order } from '../command/order.ts'
import type { Done } from '../command/done.ts'

/**
 * Temporary names on a host that could not be taken away, because the link was gone: whatever is done with files there next takes
 * them along. They are hidden and nobody uses them, but they take room.
 */
export interface LeftBehind {
  /** Runs an order, and clears away before it what is known. */
  run(order: Order): Promise<Done>
  /** Tries at once, for 5 s, unless the link is silent; what fails is remembered. Never rejects. `why`: what the order ended with. */
  clear(discard: Order, why: unknown): Promise<void>
}

const PATIENCE = 5_000

/** What would take them away; of one host, shared by all shells of a run. */
export type Leftovers = Set<Order>

export function createLeftBehind(
  known: Leftovers,
  run: (order: Order, signal?: AbortSignal) => Promise<Done>,
): LeftBehind {
  return {
    async run(order) {
      const own = [...known].filter(({ user }) => user === order.user)
      if (own.length === 0) return run(order)
      // Subshells: these have folders of their own, and what they say or fail at is not the order's.
      const before = own.map(({ setup = '', sh }) => `(${setup}\n${sh}\n) </dev/null >/dev/null 2>&1 || :`)
      const done = await run({ ...order, setup: [...before, order.setup ?? ''].join('\n') })
      for (const discard of own) known.delete(discard)
      return done
    },
    async clear(discard, why) {
      known.add(discard)
      if (isSilent(why)) return
      try {
        await run(discard, AbortSignal.timeout(PATIENCE))
        known.delete(discard)
      } catch {
        // The next one takes it along.
      }
    },
  }
}

// Cancelled, and nothing came back: whoever cancels does not want to wait for the same silence once more.
function isSilent(why: unknown): boolean {
  if (!isProblem(why) || why.code === 'CONNECTION_LOST') return false
  const { command } = why.details
  return command !== undefined && command.exitCode === null && command.signal === null
}
