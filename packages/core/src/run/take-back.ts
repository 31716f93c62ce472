import type { Outcome } from '../task/context.ts'
import { attempt, type Ended } from './attempt.ts'
import { ancestors, reversed, toGraph, type Graph } from './graph.ts'
import { gateOf } from './limits.ts'
import { addFailure, boundsOf, emit, type NodeState, type RunState } from './run-state.ts'
import { phaseContext, type PhaseContext } from './task-context.ts'
import { walk } from './walk.ts'

/**
 * Undoes every node that started and is not behind a commit: along reversed edges, so that nothing is undone before what was built on
 * it; hosts in parallel. An undo that fails is recorded and the others go on. What may still be running is not undone, nor what it
 * needs on its host: it would lose the ground that it stands on.
 */
export async function undoAll(run: RunState, graph: Graph, signal: AbortSignal): Promise<void> {
  const kept = committed(run, graph)
  const inUse = new Map<number, string>()
  const keepGround = (index: number): void => {
    for (const below of groundOf(run, index))
      if (!inUse.has(below)) inUse.set(below, run.nodes[index]?.node.id ?? '')
  }
  for (const [index, { abandoned }] of run.nodes.entries()) if (abandoned) keepGround(index)
  await walk(
    reversed(graph),
    run.inAll,
    (index) => {
      const state = run.nodes[index]
      if (!state?.started || !state.spec.undo || kept.has(index)) return undefined
      const user = inUse.get(index)
      if (user !== undefined) {
        leaveAlone(run, state, user)
        return undefined
      }
      return act(run, state, 'undo', signal).then((ended) => {
        if (ended === 'abandoned') keepGround(index)
      })
    },
    gateOf(run, run.nodes),
  )
}

/** A node with all that it needs on its own host. */
function groundOf(run: RunState, index: number): readonly number[] {
  const needs = toGraph(
    run.plan.nodes,
    run.plan.edges.filter(({ kind }) => kind === 'success'),
  )
  const top = run.nodes[index]?.node
  return [...ancestors(needs, [index])].filter((below) => {
    const node = run.nodes[below]?.node
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
export async function finallyAll(run: RunState, graph: Graph, signal: AbortSignal): Promise<void> {
  const last = async (states: readonly NodeState[], order: Graph): Promise<void> => {
    const wanted = ({ started, spec }: NodeState): boolean => started && spec.finally !== undefined
    if (!states.some(wanted)) return
    await walk(
      reversed(order),
      run.inAll,
      (index) => {
        const state = states[index]
        return state && wanted(state) ? act(run, state, 'finally', signal) : undefined
      },
      gateOf(run, states),
    )
  }
  const { onFailure } = run.plan
  if (onFailure) await last(run.onFailure, toGraph(onFailure.nodes, onFailure.edges))
  await last(run.nodes, graph)
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
): Promise<Ended['kind']> {
  const { node, spec } = state
  const startedAt = run.clock.now()
  emit(run, { type: 'node.started', node: node.id, phase })
  let open: PhaseContext | undefined
  const ended = await attempt(boundsOf(run, state, phase, signal), (own) => {
    open = phaseContext(run, state, phase, own)
    const more = phase === 'undo' ? { result: state.result, outcome: outcomeOf(state) } : {}
    return spec[phase]?.(Object.defineProperties(open.context, Object.getOwnPropertyDescriptors(more)))
  })
  open?.close()
  const well = ended.kind === 'returned'
  if (phase === 'undo') state.undone = well
  const thrown =
    ended.kind === 'threw' ? ended.thrown : ended.kind === 'abandoned' ? ended.problem : undefined
  const problem = well ? undefined : addFailure(run, state, phase, thrown).problem
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

function outcomeOf({ status }: NodeState): Outcome {
  if (status === 'done' || status === 'skipped') return 'done'
  return status === 'cancelled' ? 'cancelled' : 'failed'
}
