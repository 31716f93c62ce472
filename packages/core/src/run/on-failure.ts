import { visitBody } from './body.ts'
import { toGraph } from './graph.ts'
import { gateOf } from './limits.ts'
import { blockedBy, edgesInto, type RunState } from './run-state.ts'
import { walk } from './walk.ts'

/** Runs the config's onFailure tasks, in the order of their own edges. A failure of theirs is added to those of the run. */
export async function runOnFailure(run: RunState, signal: AbortSignal): Promise<void> {
  const { onFailure } = run.plan
  if (!onFailure) return
  const into = edgesInto(onFailure.edges)
  await walk(
    toGraph(onFailure.nodes, onFailure.edges),
    run.inAll,
    (index) => {
      const state = run.onFailure[index]
      return state && visitBody(run, state, blockedBy(run, into.get(state.node.id)), signal)
    },
    gateOf(run, run.onFailure),
  )
}
