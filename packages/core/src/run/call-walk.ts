import { Problem } from '../problem/problem.ts'
import { callersOf, placeOf } from './call-state.ts'
import { createGate } from './gate.ts'
import { isMet, type NodeState } from './node-state.ts'
import { blockedBy, type NodeSet, type RunState } from './run-state.ts'
import { emit, ofCalled, record } from './tell.ts'
import { walk } from './walk.ts'

/** How a node is entered. Handed in, because what enters bodies is where calls come from. */
export interface Bodies {
  readonly announceBody: (run: RunState, state: NodeState, blockedBy: string | undefined) => boolean
  readonly enterBody: (run: RunState, state: NodeState, signal: AbortSignal) => Promise<void> | undefined
  readonly concludeUnstarted: (run: RunState, state: NodeState, why: Problem) => void
}

/** One call of a body. */
export interface Call {
  readonly caller: NodeState
  readonly number: number
  readonly task: string
  readonly input: unknown
  readonly bodies: Bodies
}

/**
 * Runs the nodes of a call in the caller's slot, hosts in parallel. A need that is running, or was done, for another call is not run
 * again: its result is taken. The called task itself always is.
 */
export async function walkCalled(
  run: RunState,
  { caller, task, bodies }: Pick<Call, 'caller' | 'task' | 'bodies'>,
  set: NodeSet,
  signal: AbortSignal,
): Promise<void> {
  const { states, graph } = set
  const locked = states.some(({ node }) => node.locks !== undefined)
  const waits = waitsOf(run, caller)
  const whyNot = (index: number): string | undefined =>
    blockedBy(set, index) ?? (run.journalLost && !caller.afterStop ? run.stopping : undefined)
  const shared = (state: NodeState): boolean => state.node.task !== task && state.node.kind === 'task'
  await walk(
    graph,
    Number.POSITIVE_INFINITY,
    {
      announce(index) {
        const state = states[index]
        if (state?.status !== 'waiting') return false
        const blocked = whyNot(index)
        if (
          blocked === undefined &&
          shared(state) &&
          takeOver(run, state, run.calls.done.get(placeOf(state)))
        )
          return false
        if (blocked === undefined && shared(state) && run.calls.running.has(placeOf(state))) return true
        if (!bodies.announceBody(run, state, blocked)) return false
        waits.add(state)
        return begin(run, state)
      },
      announced: () => record(run),
      async enter(index) {
        const state = states[index]
        if (!state) return
        if (state.status === 'waiting') {
          if (await takenFrom(run, caller, state, bodies)) return
          if (!bodies.announceBody(run, state, whyNot(index))) return
          waits.add(state)
          begin(run, state)
          await record(run)
        }
        await bodies.enterBody(run, state, signal)
        waits.delete(state)
        finish(run, state)
      },
    },
    locked
      ? (wake) =>
          createGate(
            (node) => states[node]?.node.locks ?? [],
            () => 1,
            wake,
          )
      : undefined,
  )
}

function waitsOf({ calls }: RunState, caller: NodeState): Set<NodeState> {
  const known = calls.waits.get(caller) ?? new Set()
  calls.waits.set(caller, known)
  return known
}

const ends = new WeakMap<NodeState, () => void>()

/** From now on other calls that need it wait for it. */
function begin({ calls }: RunState, state: NodeState): true {
  const over = new Promise<void>((resolve) => ends.set(state, resolve))
  calls.running.set(placeOf(state), { state, over })
  return true
}

function finish({ calls }: RunState, state: NodeState): void {
  const place = placeOf(state)
  if (calls.running.get(place)?.state === state) calls.running.delete(place)
  if (isMet(state)) calls.done.set(place, state)
  ends.get(state)?.()
}

/** Waits for what another call runs. False when it has to be run here after all. */
async function takenFrom(
  run: RunState,
  caller: NodeState,
  state: NodeState,
  bodies: Bodies,
): Promise<boolean> {
  const waits = waitsOf(run, caller)
  const place = placeOf(state)
  for (let other = run.calls.running.get(place); other; other = run.calls.running.get(place)) {
    const round = circle(run, caller, other.state)
    if (round) {
      bodies.concludeUnstarted(run, state, round)
      return true
    }
    waits.add(other.state)
    await other.over
    waits.delete(other.state)
    // What was stopped there because of its caller says nothing of it.
    if (other.state.status === 'failed' || isMet(other.state)) {
      takeOver(run, state, other.state)
      return true
    }
  }
  return false
}

function takeOver(run: RunState, state: NodeState, other: NodeState | undefined): boolean {
  if (!other || other === state || other.undone !== undefined) return false
  state.status = other.status
  state.result = other.result
  state.problem = other.problem
  run.calls.reused.set(state.node.id, other.node.id)
  const { id: node } = state.node
  emit(run, ofCalled(state, { type: 'node.reused', node, phase: 'run', of: other.node.id }))
  return true
}

/** Two calls that wait for each other would never end. */
function circle({ calls }: RunState, caller: NodeState, other: NodeState): Problem | undefined {
  const mine = new Set(callersOf(caller))
  const seen = new Set<NodeState>()
  const stack = [other]
  for (let at = stack.pop(); at; at = stack.pop()) {
    if (mine.has(at)) {
      const [one, two] = [caller.node.task, other.node.task]
      return new Problem(
        'task',
        'CALL_CYCLE',
        `'${one}' waits for '${two}', which waits for '${at.node.task}' in a call of its own`,
        {
          hint: 'Let one of them need the other instead of calling it.',
        },
      )
    }
    if (seen.has(at)) continue
    seen.add(at)
    stack.push(...(calls.waits.get(at) ?? []))
  }
  return undefined
}
