/** Milliseconds between two signs of life. */
export const BEAT_EVERY = 20_000

export interface Heartbeat {
  /** No beat starts after this; resolves when one that is under way has ended. */
  stop(): Promise<void>
}

/**
 * Calls `beat` again and again until it says that there is nothing to keep alive any more. A beat that fails (a connection that
 * broke) is tried again in its turn. Its timer keeps no process alive.
 */
export function startHeartbeat(beat: () => Promise<boolean>, every: number = BEAT_EVERY): Heartbeat {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let last: Promise<void> = Promise.resolve()
  const later = (): void => {
    timer = setTimeout(() => {
      last = beat().then(
        (held) => {
          if (held && !stopped) later()
        },
        () => {
          if (!stopped) later()
        },
      )
    }, every)
    timer.unref()
  }
  later()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
      return last
    },
  }
}
