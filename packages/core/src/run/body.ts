import type { NodeStatus, RunEventBody } from '../event/event.ts'
import { toRecord, type Problem, type ProblemRecord } from '../problem/problem.ts'
import { attemptsOf, delayAfter } from '../task/retry.ts'
import type { Ended } from './watch.ts'
import { noteStarted } from './call-state.ts'
import type { Bodies } from './call-walk.ts'
import { whyNotPreviewed, whyPreviewEnded } from './dry.ts'
import { enter } from './enter.ts'
import { heldForEver } from './limits.ts'
import { pause } from './pause.ts'
import { checkResult } from './result.ts'
import { hasBody, type NodeState } from './node-state.ts'
import { addFailure, type RunState } from './run-state.ts'
import { emit, ofCalled, recordOnDisk, stopAfterFailure } from './tell.ts'
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
  const unknown = whyNotPreviewed(run, state)
  if (unknown !== undefined) {
    settle(run, state, 'skipped', 0, { reason: unknown })
    return false
  }
  const held = heldForEver(run, state)
  if (held) {
    concludeUnstarted(run, state, held)
    return false
  }
  emit(run, ofCalled(state, { type: 'node.started', node: node.id, phase: 'run' }))
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
  const stopped = whyStopped(run, state, signal)
  if (stopped !== undefined) {
    settle(run, state, 'blocked', 0, { reason: stopped })
    return undefined
  }
  if (!hasBody(state)) return waitBetween(run, state, startedAt, signal)
  state.started = true
  if (state.caller) noteStarted(run, state)
  state.finished = false
  const onDisk = mustReachDisk(state) ? recordOnDisk(run) : undefined
  if (onDisk) return onDisk.then(() => runBody(run, state, startedAt, signal))
  return runBody(run, state, startedAt, signal)
}

/** What is called belongs to what runs: a stop lets that end, unless nothing could be recorded any more. */
function whyStopped(
  run: RunState,
  { afterStop, caller }: NodeState,
  signal: AbortSignal,
): string | undefined {
  if (caller && signal.aborted) return `'${caller.node.id}' was stopped`
  return afterStop || (caller && !run.journalLost) ? undefined : run.stopping
}

function runBody(
  run: RunState,
  state: NodeState,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> | undefined {
  const first = enter(run, state, 'run', signal, BODIES)
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
    const { id: node } = state.node
    const event = {
      type: 'node.retrying',
      node,
      phase: 'run',
      attempt: failed,
      attempts,
      delayMs,
      problem,
    } as const
    emit(run, ofCalled(state, event))
    if (delayMs > 0) await pause(run, state, delayMs, signal)
    // A stop in the meantime: no body starts any more.
    if (!mayRetry(run, state, ended, signal, failed)) break
    ended = checkResult(state, await enter(run, state, 'run', signal, BODIES))
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
  const unknown = whyPreviewEnded(run, state, thrown)
  if (unknown !== undefined) {
    settle(run, state, 'skipped', durationMs, { reason: unknown })
    return
  }
  const cancelled = signal.aborted && ended.timedOut !== true
  if (cancelled && !state.abandoned) {
    state.problem = toRecord(thrown)
    settle(run, state, 'cancelled', durationMs, { problem: state.problem })
  } else if (!cancelled && onlyWarns(run, state)) {
    settle(run, state, 'warned', durationMs, { problem: toRecord(thrown) })
  } else {
    const problem = noteFailure(run, state, thrown)
    settle(run, state, cancelled ? 'cancelled' : 'failed', durationMs, { problem })
    stopAfterFailure(run, state)
  }
}

/** Nothing else need have failed: the holder of a lost lock may have been one that only warns. */
export function concludeUnstarted(run: RunState, state: NodeState, why: Problem): void {
  if (onlyWarns(run, state)) {
    settle(run, state, 'warned', 0, { problem: toRecord(why) })
    return
  }
  const problem = noteFailure(run, state, why)
  settle(run, state, 'blocked', 0, { reason: why.message, problem })
  stopAfterFailure(run, state)
}

/** A failure of what was called is its caller's affair, who may catch it. */
function noteFailure(run: RunState, state: NodeState, thrown: unknown): ProblemRecord {
  state.problem = state.caller ? toRecord(thrown) : addFailure(run, state.node.id, 'run', thrown).problem
  return state.problem
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
  emit(run, ofCalled(state, details ? { ...ended, ...details } : ended))
}

// What a power cut must not make us forget: the point of no return, what destroys, and what must not simply be run again (design §4,
// Remember).
function mustReachDisk({ spec, node }: NodeState): boolean {
  const { commits, onResume = 'rerun' } = spec
  return commits === true || node.effect === 'destroy' || onResume !== 'rerun'
}

const BODIES: Bodies = { announceBody, enterBody, concludeUnstarted }
