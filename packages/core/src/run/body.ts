import { Problem, toRecord } from '../problem/problem.ts'
import { redact } from '../secret/redact.ts'
import { notJson } from './json.ts'
import { addFailure, emit, stop, type NodeState, type RunState } from './run-state.ts'
import { phaseContext } from './task-context.ts'

/**
 * Runs one node's body, or settles it without: skipped while planning, blocked by a failure or a stop, or bodiless. Never rejects:
 * what a body throws becomes the node's status. Returns undefined when it settled at once.
 */
export function visitBody(
  run: RunState,
  state: NodeState,
  blockedBy: string | undefined,
  signal: AbortSignal,
): Promise<void> | undefined {
  const { node, spec } = state
  const blocked = blockedBy ?? run.stopping
  if (blocked !== undefined) {
    settle(run, state, 'blocked', 0, { reason: blocked })
    return undefined
  }
  if (node.skip !== undefined) {
    settle(run, state, 'skipped', 0, { reason: node.skip })
    return undefined
  }
  if (node.milestone || spec.run === undefined) {
    emit(run, { type: 'node.started', node: node.id, phase: 'run' })
    settle(run, state, 'done', 0, {})
    return undefined
  }
  return runBody(run, state, spec.run, signal)
}

async function runBody(
  run: RunState,
  state: NodeState,
  body: (context: unknown) => unknown,
  signal: AbortSignal,
): Promise<void> {
  const { node, spec } = state
  const startedAt = Date.now()
  const durationMs = (): number => Date.now() - startedAt
  state.status = 'running'
  state.started = true
  emit(run, { type: 'node.started', node: node.id, phase: 'run' })
  if (mustReachDisk(state)) run.options.journal?.sync()
  const { context, skipped } = phaseContext(run, state, 'run', signal)
  try {
    const result = await body(context)
    checkResult(state, result)
    state.result = result
    const reason = skipped()
    settle(run, state, reason === undefined ? 'done' : 'skipped', durationMs(), {
      ...(reason !== undefined && { reason }),
      ...(result !== undefined && { result }),
    })
  } catch (thrown) {
    if (spec.onError === 'warn' && !signal.aborted) {
      settle(run, state, 'warned', durationMs(), { problem: toRecord(thrown) })
    } else if (signal.aborted) {
      settle(run, state, 'cancelled', durationMs(), { problem: toRecord(thrown) })
    } else {
      const { problem } = addFailure(run, state, 'run', thrown)
      settle(run, state, 'failed', durationMs(), { problem })
      stop(run, `'${node.id}' failed`)
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

function checkResult(state: NodeState, result: unknown): void {
  const found = notJson(result)
  if (found) {
    const where = found.path === '' ? 'the result' : `'${found.path}' of the result`
    throw new Problem(
      'task',
      'RESULT_NOT_JSON',
      `${where} of '${state.node.task}' is ${found.what}, which JSON cannot carry`,
      {
        location: undefined,
        hint: 'Results reach other tasks through the journal: return strings, finite numbers, booleans, null, arrays and plain objects.',
      },
    )
  }
  const text = result === undefined ? '' : JSON.stringify(result)
  if (redact(text) !== text) {
    throw new Problem('task', 'RESULT_SECRET', `the result of '${state.node.task}' contains a secret`, {
      hint: 'Results are written to the journal: pass the Secret itself to whoever needs it, not its value.',
    })
  }
}
