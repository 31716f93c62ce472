import { setMaxListeners } from 'node:events'
import type { Stop } from './supervise.ts'

/** All that can end a command early; the first reason counts. */
export interface StopSource {
  /** Aborted by the run, by a time limit or by a fault of ours. */
  readonly signal: AbortSignal
  readonly reason: Promise<Stop>
  now(): Stop | undefined
  /** Milliseconds since the first reason; 0 while there is none. */
  since(): number
  because(stop: Stop): void
  /** From now on the time counts. */
  begin(): void
  release(): void
}

export interface Limits {
  /** Milliseconds for all of it. */
  readonly timeout: number | undefined
  /** Milliseconds without a sign of life. */
  readonly idle: number | undefined
  /** When it last gave one, by performance.now(); undefined while it is us who make it wait. */
  readonly alive: () => number | undefined
}

export function createStop(outer: AbortSignal, { timeout, idle, alive }: Limits): StopSource {
  // Many commands listen to the one signal of a run, which is no leak.
  setMaxListeners(0, outer)
  const controller = new AbortController()
  let first: Stop | undefined
  let at = 0
  let settle: (stop: Stop) => void
  const reason = new Promise<Stop>((resolve) => (settle = resolve))
  const because = (stop: Stop): void => {
    if (first !== undefined) return
    first = stop
    at = performance.now()
    settle(stop)
    controller.abort()
  }
  const cancel = (): void => because('cancelled')
  if (outer.aborted) cancel()
  else outer.addEventListener('abort', cancel, { once: true })
  let timer: NodeJS.Timeout | undefined
  let watch: NodeJS.Timeout | undefined
  const look = (limit: number): void => {
    const silent = performance.now() - (alive() ?? performance.now())
    if (silent >= limit) because({ idle: limit })
    else watch = setTimeout(() => look(limit), Math.max(1, limit - silent))
  }

  return {
    signal: controller.signal,
    reason,
    now: () => first,
    since: () => (first === undefined ? 0 : performance.now() - at),
    because,
    begin() {
      if (timeout !== undefined) timer = setTimeout(() => because({ timeout }), timeout)
      if (idle !== undefined) look(idle)
    },
    release() {
      clearTimeout(timer)
      clearTimeout(watch)
      outer.removeEventListener('abort', cancel)
    },
  }
}
