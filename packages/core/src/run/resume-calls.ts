import type { RecordedNode, RecordedRun } from '../journal/recorded-run.ts'
import { addCalled, callersOf, placeOf } from './call-state.ts'
import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

type Restore = (state: NodeState, node: RecordedNode) => void

/**
 * Brings back what bodies had called. A called node that had ended well stays done, and its result is given when its caller is
 * entered again; unless something that it or its caller stands on is done again.
 */
export function restoreCalls(
  run: RunState,
  recorded: RecordedRun,
  { kept, restore }: { readonly kept: (id: string) => boolean; readonly restore: Restore },
): void {
  const { calls } = run
  for (const { caller, plan } of recorded.calls) {
    const state = run.byId.get(caller)
    if (state) addCalled(run, state, plan)
  }
  for (const [id, of] of recorded.reused) calls.reused.set(id, of)
  const keeps = new Set<string>()
  const isKept = (id: string): boolean => kept(id) || keeps.has(calls.reused.get(id) ?? id)
  for (const id of recorded.startedCalls) {
    const state = run.byId.get(id)
    const node = recorded.nodes.get(id)
    if (!state?.caller || !node) continue
    restore(state, node)
    calls.started.add(state)
    const stands = callersOf(state).every((one) => groundOf(run, one).every(isKept))
    if (stands && isWell(node)) keeps.add(id)
    state.status = isWell(node) && !stands ? 'cancelled' : (node.status ?? 'cancelled')
    if (stands && isWell(node)) calls.done.set(placeOf(state), state)
  }
}

function groundOf({ calls, plan }: RunState, state: NodeState): readonly string[] {
  if (state.caller) return [...(calls.ground.get(state) ?? [])]
  return plan.edges.flatMap(({ from, to, kind }) =>
    to === state.node.id && kind === 'success' ? [from] : [],
  )
}

function isWell({ status, abandoned, undo }: RecordedNode): boolean {
  return !abandoned && undo === 'not' && (status === 'done' || status === 'skipped' || status === 'warned')
}
