import type { CommandEvent } from '@deployfile/core'

/** Milliseconds between two events of one transfer. */
const TELL_EVERY = 200

export type Tell = (bytes: number, total?: number) => void

/** Tells how far a transfer is: at most five times a second, and at its end. */
export function progress(emit: (event: CommandEvent) => void, host: string, path: string): Tell {
  let last = -Infinity
  let over = false
  return (bytes, total) => {
    const now = performance.now()
    const end = bytes === total
    if (over || (!end && now - last < TELL_EVERY)) return
    last = now
    over = end
    try {
      emit({ type: 'transfer', host, path, bytes, ...(total !== undefined && { total }) })
    } catch {
      // Whoever cannot listen says so again at the command's own events, which do fail it.
    }
  }
}
