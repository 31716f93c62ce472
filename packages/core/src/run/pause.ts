import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/** Waits so many milliseconds; less when the run stops or the signal is aborted in the meantime. */
export function pause(
  run: RunState,
  { afterStop }: NodeState,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      callOff()
      run.onStop.delete(end)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const callOff = run.clock.wait(milliseconds, end)
    if (!afterStop) run.onStop.add(end)
    signal.addEventListener('abort', end)
    if (signal.aborted || (run.stopping !== undefined && !afterStop)) end()
  })
}
