import { announceBody, enterBody } from './body.ts'
import { gateOf } from './limits.ts'
import { blockedBy, type RunState } from './run-state.ts'
import { record } from './tell.ts'
import { walk } from './walk.ts'

/** Runs the config's onFailure tasks, in the order of their own edges. A failure of theirs is added to those of the run. */
export async function runOnFailure(run: RunState, signal: AbortSignal): Promise<void> {
  const { onFailure } = run
  if (!onFailure) return
  await walk(
    onFailure.graph,
    run.inAll,
    {
      announce(index) {
        const state = onFailure.states[index]
        return state !== undefined && announceBody(run, state, blockedBy(onFailure, index))
      },
      announced: () => record(run),
      enter(index) {
        const state = onFailure.states[index]
        return state && enterBody(run, state, signal)
      },
    },
    gateOf(run, onFailure.states),
  )
}
