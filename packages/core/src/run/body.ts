import { Problem, toRecord } from '../problem/problem.ts'
import { redact } from '../secret/redact.ts'
import { attemptsOf, delayAfter } from '../task/retry.ts'
import { attempt, type Bounds, type Ended } from './attempt.ts'
import { notJson } from './json.ts'
import { addFailure, boundsOf, emit, stopAfterFailure, type NodeState, type RunState } from './run-state.ts'
import { pause } from './pause.ts'
import { phaseContext, type PhaseContext } from './task-context.ts'

/**
 * Runs one node's body, or settles it without: blocked (with the reason), skipped while planning, or bodiless. Never rejects:
 * what a body throws becomes the node's status. Returns undefined when it settled at once.
 */
export function visitBody(
  run: RunState,
  state: NodeState,
  blockedBy: string | undefined,
  signal: AbortSignal,
): Promise<void> | undefined {
  const { node, spec } = state
  if (blockedBy !== undefined) {
    settle(run, state, 'blocked', 0, { reason: blockedBy })
    return undefined
  }
  if (node.skip !== undefined) {
    settle(run, state, 'skipped', 0, { reason: node.skip })
    return undefined
  }
  if (node.milestone || spec.run === undefined) {
    emit(run, { type: 'node.started', node: node.id, phase: 'run' })
    if (node.wait !== undefined) return waitBetween(run, state, node.wait, signal)
    settle(run, state, 'done', 0, {})
    return undefined
  }
  return runBody(run, state, spec.run, signal)
}

function runBody(
  run: RunState,
  state: NodeState,
  body: (context: unknown) => unknown,
  signal: AbortSignal,
): Promise<void> | undefined {
  const startedAt = run.clock.now()
  state.status = 'running'
  state.started = true
  emit(run, { type: 'node.started', node: state.node.id, phase: 'run' })
  if (mustReachDisk(state)) run.options.journal?.sync()
  const bounds = boundsOf(run, state, 'run', signal)
  const first = tryOnce(run, state, body, bounds)
  if (!(first instanceof Promise) && !mayRetry(run, state, first, signal, 1)) {
    conclude(run, state, first, startedAt, signal)
    return undefined
  }
  return retrying(run, state, first, signal, () => tryOnce(run, state, body, bounds)).then((last) => {
    conclude(run, state, last, startedAt, signal)
  })
}

/** The last of the attempts. What stops the run ends a delay between two of them at once. */
async function retrying(
  run: RunState,
  state: NodeState,
  first: Tried | Promise<Tried>,
  signal: AbortSignal,
  again: () => Tried | Promise<Tried>,
): Promise<Tried> {
  let tried = await first
  for (let failed = 1; mayRetry(run, state, tried, signal, failed); failed++) {
    const { retry } = state.spec
    const delayMs = delayAfter(retry, failed, Math.random())
    const problem = toRecord(tried.ended.kind === 'threw' ? tried.ended.thrown : undefined)
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
    if (!mayRetry(run, state, tried, signal, failed)) break
    tried = await again()
  }
  return tried
}

function mayRetry(
  run: RunState,
  state: NodeState,
  { ended }: Tried,
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
  wait: number,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = run.clock.now()
  await pause(run, state, wait, signal)
  settle(run, state, 'done', run.clock.now() - startedAt, {})
}

/** What a body gave back: its end, and the reason that it gave to `skip`. */
interface Tried {
  readonly ended: Ended
  readonly skipped: string | undefined
}

function tryOnce(
  run: RunState,
  state: NodeState,
  body: (context: unknown) => unknown,
  bounds: Bounds,
): Tried | Promise<Tried> {
  let open: PhaseContext | undefined
  const ended = attempt(bounds, (signal) => {
    open = phaseContext(run, state, 'run', signal)
    return body(open.context)
  })
  const finish = (how: Ended): Tried => {
    open?.close()
    return { ended: checkResult(state, how), skipped: open?.skipped() }
  }
  return ended instanceof Promise ? ended.then(finish) : finish(ended)
}

function conclude(
  run: RunState,
  state: NodeState,
  { ended, skipped }: Tried,
  startedAt: number,
  signal: AbortSignal,
): void {
  const durationMs = run.clock.now() - startedAt
  if (ended.kind === 'returned') {
    const { value } = ended
    state.result = value
    settle(run, state, skipped === undefined ? 'done' : 'skipped', durationMs, {
      ...(skipped !== undefined && { reason: skipped }),
      ...(value !== undefined && { result: value }),
    })
  } else {
    state.abandoned = ended.kind === 'abandoned'
    if (state.abandoned) for (const lock of state.node.locks ?? []) run.lostLocks.set(lock, state.node.id)
    const thrown = ended.kind === 'abandoned' ? ended.problem : ended.thrown
    const cancelled = signal.aborted && !ended.timedOut
    if (cancelled && !state.abandoned) {
      settle(run, state, 'cancelled', durationMs, { problem: toRecord(thrown) })
    } else if (!cancelled && state.spec.onError === 'warn') {
      settle(run, state, 'warned', durationMs, { problem: toRecord(thrown) })
    } else {
      const { problem } = addFailure(run, state, 'run', thrown)
      settle(run, state, cancelled ? 'cancelled' : 'failed', durationMs, { problem })
      stopAfterFailure(run, state)
    }
  }
  if (mustReachDisk(state)) run.options.journal?.sync()
}

type EndDetails = Pick<
  Extract<Parameters<typeof emit>[1], { type: 'node.ended' }>,
  'reason' | 'problem' | 'result'
>

function settle(
  run: RunState,
  state: NodeState,
  status: Exclude<NodeState['status'], 'waiting' | 'running'>,
  durationMs: number,
  details: EndDetails,
): void {
  state.status = status
  emit(run, { type: 'node.ended', node: state.node.id, phase: 'run', status, durationMs, ...details })
}

// What a power cut must not make us forget: the point of no return, and what destroys (design §4, Remember).
function mustReachDisk({ spec, node }: NodeState): boolean {
  return spec.commits === true || node.effect === 'destroy'
}

/** The end of a body whose result can travel; of one whose result cannot, a failure that names what cannot. */
function checkResult(state: NodeState, ended: Ended): Ended {
  if (ended.kind !== 'returned') return ended
  const problem = whyUnfit(state, ended.value)
  return problem ? { kind: 'threw', thrown: problem, timedOut: false } : ended
}

function whyUnfit(state: NodeState, result: unknown): Problem | undefined {
  const found = notJson(result)
  if (found) {
    const where = found.path === '' ? 'the result' : `'${found.path}' of the result`
    return new Problem(
      'task',
      'RESULT_NOT_JSON',
      `${where} of '${state.node.task}' is ${found.what}, which JSON cannot carry`,
      {
        hint: 'Results reach other tasks through the journal: return strings, finite numbers, booleans, null, arrays and plain objects.',
      },
    )
  }
  const text = result === undefined ? '' : JSON.stringify(result)
  if (redact(text) === text) return undefined
  return new Problem('task', 'RESULT_SECRET', `the result of '${state.node.task}' contains a secret`, {
    hint: 'Results are written to the journal: pass the Secret itself to whoever needs it, not its value.',
  })
}
