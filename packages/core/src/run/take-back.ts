import type { Phase } from '../event/failure.ts'
import type { Ended } from './watch.ts'
import { callersOf } from './call-state.ts'
import { enter } from './enter.ts'
import { ancestors, reversed } from './graph.ts'
import { gateOf } from './limits.ts'
import type { NodeState } from './node-state.ts'
import { addFailure, type NodeSet, type RunState } from './run-state.ts'
import { emit, ofCalled, record } from './tell.ts'
import { walk } from './walk.ts'
import { withCalled, type WithCalled } from './with-called.ts'

/**
 * Undoes every node that started and is not behind a commit: along reversed edges, so that nothing is undone before what was built on
 * it; hosts in parallel. An undo that fails is recorded and the others go on. What may still be running is not undone, nor what it
 * needs on its host: it would lose the ground that it stands on.
 */
export async function undoAll(run: RunState, signal: AbortSignal): Promise<void> {
  const set = withCalled(run, run.main, run.plan.edges)
  const { states, graph } = set
  const kept = committed(set)
  const inUse = new Map<number, string>()
  const keepGround = (index: number): void => {
    for (const below of groundOf(set, index))
      if (!inUse.has(below)) inUse.set(below, states[index]?.node.id ?? '')
  }
  for (const [index, { abandoned }] of states.entries()) if (abandoned) keepGround(index)
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
export function toUndo(run: RunState): readonly NodeState[] {
  const set = withCalled(run, run.main, run.plan.edges)
  const kept = committed(set)
  return set.states.filter((state, index) => isToUndo(state) && !kept.has(index))
}

function isToUndo({ started, spec, undone }: NodeState): boolean {
  return started && spec.undo !== undefined && undone !== true
}

/** A node with all that it needs on its own host, what called it, and what it called. */
function groundOf({ states, graph }: NodeSet, index: number): readonly number[] {
  const top = states[index]
  if (!top) return []
  const callers = callersOf(top)
  const called = states.flatMap((state, at) => (state.caller && callersOf(state).includes(top) ? [at] : []))
  return [...ancestors(graph, [index, ...called], 'success')].filter((below) => {
    const state = states[below]
    if (!state) return false
    if (callers.includes(state) || called.includes(below)) return true
    return state.node.host === top.node.host && state.node.stage === top.node.stage
  })
}

function leaveAlone(run: RunState, state: NodeState, user: string): void {
  state.undone = false
  const reason = `'${user}' may still be running`
  const { id: node } = state.node
  emit(
    run,
    ofCalled(state, { type: 'node.ended', node, phase: 'undo', status: 'blocked', durationMs: 0, reason }),
  )
}

/** Runs `finally` of every node that started, last ones first, whatever became of the run. */
export async function finallyAll(run: RunState, signal: AbortSignal): Promise<void> {
  const { plan, onFailure, main } = run
  if (onFailure && plan.onFailure)
    await finallyOf(run, withCalled(run, onFailure, plan.onFailure.edges), signal)
  await finallyOf(run, withCalled(run, main, plan.edges), signal)
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
 * skipped; until then nothing is behind it. One that skipped itself on all of them has decided not to commit.
 */
function committed({ states, ground }: WithCalled): ReadonlySet<number> {
  const byTask = new Map<string, number[]>()
  for (const [index, { spec, node }] of states.entries()) {
    if (spec.commits !== true || node.kind !== 'task' || node.skip !== undefined) continue
    byTask.set(node.task, [...(byTask.get(node.task) ?? []), index])
  }
  const points = [...byTask.values()].filter(
    (nodes) =>
      nodes.every((index) => endedWell(states[index])) &&
      nodes.some((index) => states[index]?.status === 'done'),
  )
  return withWhatTheyCalled({ states, ground }, ancestors(ground, points.flat()))
}

/** What was called stays where its caller does, and so does what that was built on; but not who else had called that. */
function withWhatTheyCalled(
  { states, ground }: Pick<WithCalled, 'states' | 'ground'>,
  kept: ReadonlySet<number>,
): ReadonlySet<number> {
  const isKept = new Set([...kept].map((index) => states[index]))
  const called = states.flatMap(({ caller }, index) =>
    caller && isKept.has(caller) && !kept.has(index) ? [index] : [],
  )
  if (called.length === 0) return kept
  return withWhatTheyCalled({ states, ground }, new Set([...kept, ...ancestors(ground, called)]))
}

function endedWell(state: NodeState | undefined): boolean {
  return state?.status === 'done' || state?.status === 'skipped'
}

function announce(run: RunState, state: NodeState, phase: Phase): true {
  emit(run, ofCalled(state, { type: 'node.started', node: state.node.id, phase }))
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
  const status = well ? 'done' : 'failed'
  const durationMs = run.clock.now() - startedAt
  const event = { type: 'node.ended', node: node.id, phase, status, durationMs } as const
  emit(run, ofCalled(state, { ...event, ...(problem && { problem }) }))
  return ended.kind
}
