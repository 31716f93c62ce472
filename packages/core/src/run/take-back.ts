import type { Phase } from '../event/event.ts'
import type { Ended } from './watch.ts'
import { enter } from './enter.ts'
import { ancestors, reversed } from './graph.ts'
import { gateOf } from './limits.ts'
import { addFailure, type NodeSet, type NodeState, type RunState } from './run-state.ts'
import { emit, record } from './tell.ts'
import { walk } from './walk.ts'

/**
 * Undoes every node that started and is not behind a commit: along reversed edges, so that nothing is undone before what was built on
 * it; hosts in parallel. An undo that fails is recorded and the others go on. What may still be running is not undone, nor what it
 * needs on its host: it would lose the ground that it stands on.
 */
export async function undoAll(run: RunState, signal: AbortSignal): Promise<void> {
  const { states, graph } = run.main
  const kept = committed(run.main)
  const inUse = new Map<number, string>()
  const keepGround = (index: number): void => {
    for (const below of groundOf(run.main, index))
      if (!inUse.has(below)) inUse.set(below, states[index]?.node.id ?? '')
  }
  for (const { index, abandoned } of states) if (abandoned) keepGround(index)
  await walk(
    reversed(graph),
    run.inAll,
    {
      announce(index) {
        const state = states[index]
        if (!state || !isToUndo(state) || kept.has(index)) return false
        const user = inUse.get(index)
        if (user === undefined) return announce(run, state, 'undo')
        leaveAlone(run, state, user)
        return false
      },
      announced: () => record(run),
      enter(index) {
        const state = states[index]
        return (
          state &&
          act(run, state, 'undo', signal).then((ended) => {
            if (ended === 'abandoned') keepGround(index)
          })
        )
      },
    },
    gateOf(run, states),
  )
}

/** What {@link undoAll} would undo, or would have to leave because of something that may still be running. */
export function toUndo({ main }: RunState): readonly NodeState[] {
  const kept = committed(main)
  return main.states.filter((state) => isToUndo(state) && !kept.has(state.index))
}

function isToUndo({ started, spec, undone }: NodeState): boolean {
  return started && spec.undo !== undefined && undone !== true
}

/** A node with all that it needs on its own host. */
function groundOf({ states, graph }: NodeSet, index: number): readonly number[] {
  const top = states[index]?.node
  return [...ancestors(graph, [index], 'success')].filter((below) => {
    const node = states[below]?.node
    return node?.host === top?.host && node?.stage === top?.stage
  })
}

function leaveAlone(run: RunState, state: NodeState, user: string): void {
  state.undone = false
  const reason = `'${user}' may still be running`
  const { id: node } = state.node
  emit(run, { type: 'node.ended', node, phase: 'undo', status: 'blocked', durationMs: 0, reason })
}

/** Runs `finally` of every node that started, last ones first, whatever became of the run. */
export async function finallyAll(run: RunState, signal: AbortSignal): Promise<void> {
  for (const set of [run.onFailure, run.main]) if (set) await finallyOf(run, set, signal)
}

async function finallyOf(run: RunState, { states, graph }: NodeSet, signal: AbortSignal): Promise<void> {
  const wanted = ({ started, finished, spec }: NodeState): boolean =>
    started && !finished && spec.finally !== undefined
  if (!states.some(wanted)) return
  await walk(
    reversed(graph),
    run.inAll,
    {
      announce(index) {
        const state = states[index]
        return state !== undefined && wanted(state) && announce(run, state, 'finally')
      },
      announced: () => record(run),
      enter(index) {
        const state = states[index]
        return state && act(run, state, 'finally', signal)
      },
    },
    gateOf(run, states),
  )
}

/**
 * The nodes that stay as they are. A task with `commits` counts once it has ended well on every host where it is planned and not
 * skipped; until then nothing is behind it.
 */
export function committed({ states, graph }: NodeSet): ReadonlySet<number> {
  const byTask = new Map<string, NodeState[]>()
  for (const state of states) {
    const { spec, node } = state
    if (spec.commits !== true || node.kind !== 'task' || node.skip !== undefined) continue
    byTask.set(node.task, [...(byTask.get(node.task) ?? []), state])
  }
  const points = [...byTask.values()].filter((nodes) => nodes.every(endedWell))
  return ancestors(
    graph,
    points.flat().map(({ index }) => index),
  )
}

function endedWell({ status }: NodeState): boolean {
  return status === 'done' || status === 'skipped'
}

function announce(run: RunState, { node }: NodeState, phase: Phase): true {
  emit(run, { type: 'node.started', node: node.id, phase })
  return true
}

async function act(
  run: RunState,
  state: NodeState,
  phase: 'undo' | 'finally',
  signal: AbortSignal,
): Promise<Ended['kind']> {
  const { node } = state
  const startedAt = run.clock.now()
  const ended = await enter(run, state, phase, signal)
  const well = ended.kind === 'returned'
  if (phase === 'undo') state.undone = well
  const problem = well ? undefined : addFailure(run, node.id, phase, ended.thrown).problem
  emit(run, {
    type: 'node.ended',
    node: node.id,
    phase,
    status: well ? 'done' : 'failed',
    durationMs: run.clock.now() - startedAt,
    ...(problem && { problem }),
  })
  return ended.kind
}
