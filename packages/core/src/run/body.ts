import type { NodeStatus, RunEventBody } from '../event/event.ts'
import { toRecord, type Problem } from '../problem/problem.ts'
import { attemptsOf, delayAfter } from '../task/retry.ts'
import type { Ended } from './watch.ts'
import { enter } from './enter.ts'
import { heldForEver } from './limits.ts'
import { pause } from './pause.ts'
import { checkResult } from './result.ts'
import { addFailure, type NodeState, type RunState } from './run-state.ts'
import { emit, recordOnDisk, stopAfterFailure } from './tell.ts'
import { onlyWarns } from './tolerance.ts'

/**
 * Says that a node is about to be entered. False for one that is over without: blocked (with the reason), skipped while planning,
 * bodiless, or settled before this walk.
 */
export function announceBody(run: RunState, state: NodeState, blockedBy: string | undefined): boolean {
  const { node } = state
  if (state.status !== 'waiting') return false
  if (blockedBy !== undefined) {
    settle(run, state, 'blocked', 0, { reason: blockedBy })
    return false
  }
  if (node.skip !== undefined) {
    settle(run, state, 'skipped', 0, { reason: node.skip })
    return false
  }
  const held = heldForEver(run, state)
  if (held) {
    concludeUnstarted(run, state, held)
    return false
  }
  emit(run, { type: 'node.started', node: node.id, phase: 'run' })
  if (!hasBody(state) && node.wait === undefined) {
    settle(run, state, 'done', 0)
    return false
  }
  state.status = 'running'
  return true
}

/**
 * Runs the body of an announced node. Never rejects: what the body throws becomes the node's status. Returns undefined when the node
 * settled at once.
 */
export function enterBody(run: RunState, state: NodeState, signal: AbortSignal): Promise<void> | undefined {
  const startedAt = run.clock.now()
  // A stop came between the announcement and now.
  if (run.stopping !== undefined && !state.afterStop) {
    settle(run, state, 'blocked', 0, { reason: run.stopping })
    return undefined
  }
  if (!hasBody(state)) return waitBetween(run, state, startedAt, signal)
  state.started = true
  state.finished = false
  const onDisk = mustReachDisk(state) ? recordOnDisk(run) : undefined
  if (onDisk) return onDisk.then(() => runBody(run, state, startedAt, signal))
  return runBody(run, state, startedAt, signal)
}

export function hasBody({ node, spec }: NodeState): boolean {
  return !node.milestone && spec.run !== undefined
}

function runBody(
  run: RunState,
  state: NodeState,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> | undefined {
  const first = enter(run, state, 'run', signal)
  if (first instanceof Promise) return first.then((ended) => afterFirst(run, state, ended, startedAt, signal))
  return afterFirst(run, state, first, startedAt, signal)
}

function afterFirst(
  run: RunState,
  state: NodeState,
  ended: Ended,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> | undefined {
  const first = checkResult(state, ended)
  if (!mayRetry(run, state, first, signal, 1)) return conclude(run, state, first, startedAt, signal)
  return retrying(run, state, first, signal).then((last) => conclude(run, state, last, startedAt, signal))
}

/** The last of the attempts. What stops the run ends a delay between two of them at once. */
async function retrying(run: RunState, state: NodeState, first: Ended, signal: AbortSignal): Promise<Ended> {
  let ended = first
  for (let failed = 1; mayRetry(run, state, ended, signal, failed); failed++) {
    const { retry } = state.spec
    const delayMs = delayAfter(retry, failed, Math.random())
    const problem = toRecord(ended.kind === 'threw' ? ended.thrown : undefined)
    const attempts = attemptsOf(retry)
    emit(run, {
      type: 'node.retrying',
      node: state.node.id,
      phase: 'run',
      attempt: failed,
      attempts,
      delayMs,
      problem,
    })
    if (delayMs > 0) await pause(run, state, delayMs, signal)
    // A stop in the meantime: no body starts any more.
    if (!mayRetry(run, state, ended, signal, failed)) break
    ended = checkResult(state, await enter(run, state, 'run', signal))
  }
  return ended
}

function mayRetry(
  run: RunState,
  state: NodeState,
  ended: Ended,
  signal: AbortSignal,
  failed: number,
): boolean {
  if (ended.kind !== 'threw' || signal.aborted) return false
  if (run.stopping !== undefined && !state.afterStop) return false
  return failed < attemptsOf(state.spec.retry)
}

/** The time between two batches. Cut short by a stop: what comes after is then blocked by that. */
async function waitBetween(
  run: RunState,
  state: NodeState,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> {
  await pause(run, state, state.node.wait ?? 0, signal)
  settle(run, state, 'done', run.clock.now() - startedAt)
}

function conclude(
  run: RunState,
  state: NodeState,
  ended: Ended,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> | undefined {
  const durationMs = run.clock.now() - startedAt
  if (ended.kind === 'returned') {
    const { value: result, skipped: reason } = ended
    state.result = result
    if (reason !== undefined)
      settle(run, state, 'skipped', durationMs, { reason, ...(result !== undefined && { result }) })
    else settle(run, state, 'done', durationMs, result === undefined ? undefined : { result })
  } else concludeBadly(run, state, ended, durationMs, signal)
  return (mustReachDisk(state) ? recordOnDisk(run) : undefined) ?? undefined
}

function concludeBadly(
  run: RunState,
  state: NodeState,
  ended: Exclude<Ended, { kind: 'returned' }>,
  durationMs: number,
  signal: AbortSignal,
): void {
  const { thrown } = ended
  state.abandoned = ended.kind === 'abandoned'
  if (state.abandoned) for (const lock of state.node.locks ?? []) run.lostLocks.set(lock, state.node.id)
  const cancelled = signal.aborted && ended.timedOut !== true
  if (cancelled && !state.abandoned) {
    settle(run, state, 'cancelled', durationMs, { problem: toRecord(thrown) })
  } else if (!cancelled && onlyWarns(run, state)) {
    settle(run, state, 'warned', durationMs, { problem: toRecord(thrown) })
  } else {
    const { problem } = addFailure(run, state.node.id, 'run', thrown)
    settle(run, state, cancelled ? 'cancelled' : 'failed', durationMs, { problem })
    stopAfterFailure(run, state)
  }
}

/** Nothing else need have failed: the holder of a lost lock may have been one that only warns. */
function concludeUnstarted(run: RunState, state: NodeState, why: Problem): void {
  if (onlyWarns(run, state)) {
    settle(run, state, 'warned', 0, { problem: toRecord(why) })
    return
  }
  const { problem } = addFailure(run, state.node.id, 'run', why)
  settle(run, state, 'blocked', 0, { reason: why.message, problem })
  stopAfterFailure(run, state)
}

type EndedEvent = Extract<RunEventBody, { type: 'node.ended' }>

function settle(
  run: RunState,
  state: NodeState,
  status: NodeStatus,
  durationMs: number,
  details?: Pick<EndedEvent, 'reason' | 'problem' | 'result'>,
): void {
  state.status = status
  const ended: EndedEvent = { type: 'node.ended', node: state.node.id, phase: 'run', status, durationMs }
  emit(run, details ? { ...ended, ...details } : ended)
}

// What a power cut must not make us forget: the point of no return, what destroys, and what must not simply be run again (design §4,
// Remember).
function mustReachDisk({ spec, node }: NodeState): boolean {
  const { commits, onResume = 'rerun' } = spec
  return commits === true || node.effect === 'destroy' || onResume !== 'rerun'
}
