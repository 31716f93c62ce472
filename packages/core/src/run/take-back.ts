import type { Outcome } from '../task/context.ts'
import { ancestors, reversed, type Graph } from './graph.ts'
import { addFailure, emit, type NodeState, type RunState } from './run-state.ts'
import { phaseContext } from './task-context.ts'
import { walk } from './walk.ts'

/**
 * Undoes every node that started and is not behind a commit: along reversed edges, so that nothing is undone before what was built on
 * it; hosts in parallel. An undo that fails is recorded and the others go on.
 */
export async function undoAll(
  run: RunState,
  graph: Graph,
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  const kept = committed(run, graph)
  await walk(reversed(graph), limit, (index) => {
    const state = run.nodes[index]
    if (!state?.started || !state.spec.undo || kept.has(index)) return undefined
    return act(run, state, 'undo', signal)
  })
}

/** Runs `finally` of every node that started, last ones first, whatever became of the run. */
export async function finallyAll(
  run: RunState,
  graph: Graph,
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  await walk(reversed(graph), limit, (index) => {
    const state = run.nodes[index]
    if (!state?.started || !state.spec.finally) return undefined
    return act(run, state, 'finally', signal)
  })
}

/**
 * The nodes that stay as they are. A task with `commits` counts once it has ended well on every host where it is planned and not
 * skipped; until then nothing is behind it.
 */
export function committed(run: RunState, graph: Graph): ReadonlySet<number> {
  const byTask = new Map<string, number[]>()
  for (const [index, { spec, node }] of run.nodes.entries()) {
    if (spec.commits !== true || node.kind !== 'task' || node.skip !== undefined) continue
    byTask.set(node.task, [...(byTask.get(node.task) ?? []), index])
  }
  const points = [...byTask.values()].filter((nodes) => nodes.every((index) => endedWell(run.nodes[index])))
  return ancestors(graph, points.flat())
}

function endedWell(state: NodeState | undefined): boolean {
  return state?.status === 'done' || state?.status === 'skipped'
}

async function act(
  run: RunState,
  state: NodeState,
  phase: 'undo' | 'finally',
  signal: AbortSignal,
): Promise<void> {
  const { node, spec } = state
  const startedAt = Date.now()
  emit(run, { type: 'node.started', node: node.id, phase })
  try {
    const { context } = phaseContext(run, state, phase, signal)
    const more = phase === 'undo' ? { result: state.result, outcome: outcomeOf(state) } : {}
    await spec[phase]?.(Object.defineProperties(context, Object.getOwnPropertyDescriptors(more)))
    if (phase === 'undo') state.undone = true
    emit(run, {
      type: 'node.ended',
      node: node.id,
      phase,
      status: 'done',
      durationMs: Date.now() - startedAt,
    })
  } catch (thrown) {
    if (phase === 'undo') state.undone = false
    const { problem } = addFailure(run, state, phase, thrown)
    emit(run, {
      type: 'node.ended',
      node: node.id,
      phase,
      status: 'failed',
      durationMs: Date.now() - startedAt,
      problem,
    })
  }
}

function outcomeOf({ status }: NodeState): Outcome {
  if (status === 'done' || status === 'skipped') return 'done'
  return status === 'cancelled' ? 'cancelled' : 'failed'
}
