import { isProblem } from '@deployfile/core'
import { endOrder, type Trace } from './leftover.ts'
import type { Order } from './order.ts'
import type { Shared } from './shared.ts'

/** Tenths of a second between TERM and KILL. */
const GRACE = 50

/** Nobody knows whether it still runs. */
export function rememberLost(host: string, { lost }: Shared, trace: Trace): void {
  lost.set(host, [...(lost.get(host) ?? []), trace])
}

/**
 * Before anything else is done on a host: ends what a broken link left running there. sshd does not, and an undo, or a further attempt,
 * would find the first one still at work. What cannot be ended is no reason not to go on; the failure of the lost command has said that
 * nobody knows about it.
 */
export async function clearLost(
  host: string,
  { lost, clearing }: Shared,
  run: (order: Order) => Promise<unknown>,
): Promise<void> {
  for (let busy = clearing.get(host); busy; busy = clearing.get(host)) await busy
  const traces = lost.get(host)
  if (!traces) return
  lost.delete(host)
  const users = [...new Set(traces.map(({ user }) => user))]
  const groups = users.map((user) => traces.filter((trace) => trace.user === user))
  const work = Promise.allSettled(groups.map((group) => run({ ...endOrder(group, GRACE), clears: true })))
  const done = work.then((results) => {
    clearing.delete(host)
    // It could not be asked: the next one tries again. One that sudo refuses is not asked again and again with one password.
    const still = groups.flatMap((group, at) => {
      const result = results[at]
      return result?.status === 'rejected' && !isFinal(result.reason) ? group : []
    })
    if (still.length > 0) lost.set(host, [...(lost.get(host) ?? []), ...still])
  })
  clearing.set(host, done)
  await done
}

function isFinal(error: unknown): boolean {
  return isProblem(error) && ['SUDO_REFUSED', 'LOGIN_SHELL', 'SECRET_MISSING'].includes(error.code)
}
