export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** The part of `process` that tells of signals. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown
  off(signal: StopSignal, listener: () => void): unknown
}

const STOPS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

// Ctrl-C reaches every process of the terminal, and npm (npx too) passes it on to its child once more, a few milliseconds later.
const SAME_KEYSTROKE = 500

/**
 * The first signal asks to stop, a second one to leave at once; what comes within half a second of the first is the same keystroke.
 * Without a listener the process would die in the middle of a release; with one, undo runs. A signal that is not for the run, by
 * `isFor`, is let pass. Returns how to stop listening.
 */
export function listen(
  source: SignalSource,
  onFirst: (signal: StopSignal) => void,
  onSecond: (signal: StopSignal) => void,
  now: () => number = () => performance.now(),
  isFor: (signal: StopSignal) => boolean = () => true,
): () => void {
  let first: number | undefined
  const listeners = STOPS.map((signal) => {
    const listener = (): void => {
      if (!isFor(signal)) return
      if (first === undefined) {
        first = now()
        onFirst(signal)
      } else if (now() - first > SAME_KEYSTROKE) onSecond(signal)
    }
    source.on(signal, listener)
    return { signal, listener }
  })
  return () => {
    for (const { signal, listener } of listeners) source.off(signal, listener)
  }
}
