import type { RecordedNode, RecordedRun } from '../journal/recorded-run.ts'
import { restoreCalls } from './resume-calls.ts'
import { hasBody, type NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/**
 * The nodes of a recorded run that count as done: they ended well, nothing of them was taken back, none of them may still be running,
 * and all that they stand on is kept, too. What stands on something that is done again is done again itself.
 */
export function keptOf({ plan, nodes }: RecordedRun): ReadonlySet<string> {
  const needs = new Map<string, string[]>()
  for (const { from, to, kind } of plan.edges) {
    if (kind !== 'success') continue
    const known = needs.get(to)
    if (known) known.push(from)
    else needs.set(to, [from])
  }
  const kept = new Set<string>()
  // Nodes come in an order in which they could run, so that what stands before a node is decided already.
  for (const { id } of plan.nodes) {
    if (!endedWell(nodes.get(id))) continue
    if ((needs.get(id) ?? []).every((before) => kept.has(before))) kept.add(id)
  }
  return kept
}

export function endedWell(node: RecordedNode | undefined): boolean {
  if (!node || node.abandoned || node.undo !== 'not') return false
  return node.status === 'done' || node.status === 'skipped' || node.status === 'warned'
}

/** Puts a run where its record left it, to go on: what is kept is settled, the rest waits. */
export function restoreForResume(run: RunState, recorded: RecordedRun, kept: ReadonlySet<string>): void {
  for (const state of run.main.states) {
    const node = recorded.nodes.get(state.node.id)
    if (!node) continue
    restore(state, node)
    if (kept.has(state.node.id) && node.status !== undefined) state.status = node.status
  }
  restoreCalls(run, recorded, { kept: (id) => kept.has(id), restore })
}

/** Puts a run where its record left it, to take it back: what did not end ended with its process. */
export function restoreForUndo(run: RunState, recorded: RecordedRun): void {
  run.before = recorded.failures
  run.worked = true
  for (const state of run.main.states) {
    const node = recorded.nodes.get(state.node.id)
    state.status = node?.status ?? (node?.entered === true ? 'cancelled' : 'blocked')
    if (!node) continue
    // An undo that was begun, or failed, is entered again: it is idempotent.
    restoreTaken(state, node)
  }
  for (const state of run.onFailure?.states ?? []) {
    const node = recorded.nodes.get(state.node.id)
    if (!node) continue
    restore(state, node)
    if (node.status !== undefined) state.status = node.status
  }
  restoreCalls(run, recorded, { kept: () => true, restore: restoreTaken })
}

function restoreTaken(state: NodeState, node: RecordedNode): void {
  restore(state, node)
  if (node.undo === 'done') state.undone = true
}

/** Also of a node that is run again: when it is not reached any more, what it did before has to be undone all the same. */
function restore(state: NodeState, { entered, result, finally: last }: RecordedNode): void {
  state.started = entered && hasBody(state)
  state.result = result
  state.finished = last === 'done'
}
