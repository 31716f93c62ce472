/** Lets `limit` holders in at once; the rest wait in line. */
export interface Gate {
  /** Resolves with how to leave again. Rejects when `signal` aborts or the gate was shut. */
  enter(signal: AbortSignal): Promise<() => void>
  /** The other side allows fewer than we thought: from now on only those who are inside, at least one. */
  narrow(): void
  readonly inside: number
  /** Sends all away who wait, for good. */
  shut(reason: Error): void
}

export function createGate(limit: number): Gate {
  let allowed = limit
  let inside = 0
  let closed: Error | undefined
  const line: { readonly come: () => void; readonly go: (reason: Error) => void }[] = []

  const admit = (): void => {
    while (inside < allowed) {
      const next = line.shift()
      if (!next) return
      inside++
      next.come()
    }
  }
  const leaver = (): (() => void) => {
    let left = false
    return () => {
      if (left) return
      left = true
      inside--
      admit()
    }
  }
  return {
    enter(signal) {
      return new Promise((resolve, reject) => {
        if (closed || signal.aborted) {
          reject(closed ?? new Aborted())
          return
        }
        const forget = (): void => signal.removeEventListener('abort', abort)
        const waiter = {
          come: () => {
            forget()
            resolve(leaver())
          },
          go: (reason: Error) => {
            forget()
            reject(reason)
          },
        }
        const abort = (): void => {
          line.splice(line.indexOf(waiter), 1)
          reject(new Aborted())
        }
        signal.addEventListener('abort', abort, { once: true })
        line.push(waiter)
        admit()
      })
    },
    narrow() {
      allowed = Math.max(1, Math.min(allowed, inside))
    },
    get inside() {
      return inside
    },
    shut(reason) {
      closed = reason
      for (const waiter of line.splice(0)) waiter.go(reason)
    },
  }
}

/** Somebody stopped waiting; whoever aborted knows why. */
export class Aborted extends Error {
  constructor() {
    super('aborted')
  }
}

/** The promise, or a rejection with {@link Aborted}; what it stands for goes on for others. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Aborted())
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  return unlessAborted(waited, signal).finally(() => clearTimeout(timer))
}
