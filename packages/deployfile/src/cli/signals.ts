export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** The part of `process` that tells of signals. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown
  off(signal: StopSignal, listener: () => void): unknown
}

const STOPS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * The first signal asks to stop, a second one to leave at once. Without a listener the process would die in the middle of a
 * release; with one, undo runs. Returns how to stop listening.
 */
export function listen(
  source: SignalSource,
  onFirst: (signal: StopSignal) => void,
  onSecond: (signal: StopSignal) => void,
): () => void {
  let first = true
  const listeners = STOPS.map((signal) => {
    const listener = (): void => {
      const act = first ? onFirst : onSecond
      first = false
      act(signal)
    }
    source.on(signal, listener)
    return { signal, listener }
  })
  return () => {
    for (const { signal, listener } of listeners) source.off(signal, listener)
  }
}
