import { planCall, type CallPlan } from '../plan/call.ts'
import type { NeedValue } from '../port/executor.ts'
import { Problem } from '../problem/problem.ts'
import { redact } from '../secret/redact.ts'
import { notJson } from '../task/json.ts'
import { callFailure } from './call-failure.ts'
import { holdLocks } from './call-locks.ts'
import { checkCalled, checkDepth, isThere } from './call-rules.ts'
import { addCalled } from './call-state.ts'
import { walkCalled, type Call } from './call-walk.ts'
import { NO_PREVIEW } from './dry.ts'
import { readBinding } from './read-needs.ts'
import { isMet, type NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'
import { emit, ofCalled } from './tell.ts'

/** Plans a call, runs it to its end and gives what the caller gets. Rejects with what went wrong. */
export async function makeCall(run: RunState, call: Call, signal: AbortSignal): Promise<NeedValue> {
  const { caller } = call
  const plan = checkedPlan(run, call)
  mayStart(run, call, signal)
  const set = addCalled(run, caller, plan)
  const { number, task } = call
  emit(
    run,
    ofCalled(caller, { type: 'node.calling', node: caller.node.id, phase: 'run', call: number, task, plan }),
  )
  const letGo = await holdLocks(run, caller, set.states)
  try {
    await walkCalled(run, call, set, signal)
  } finally {
    letGo()
  }
  const unknown = set.states.find(({ node }) => run.unknown.has(node.id))
  if (unknown) throw noPreview(run.unknown.get(unknown.node.id) ?? unknown.node.task)
  const failure = callFailure(set.states)
  if (failure) throw failure
  if (set.states.every((state) => isMet(state))) return readBinding(run, plan.result)
  mayStart(run, call, signal)
  throw new Error(`'${call.task}', which '${caller.node.id}' called, was not settled`)
}

/** Into a preview that calls what has none: it cannot go on without what that gives. */
function noPreview(task: string): Problem {
  return new Problem('task', NO_PREVIEW, `'${task}' has no preview`, { key: task })
}

function checkedPlan(run: RunState, { caller, number, task, input }: Call): CallPlan {
  checkDepth(caller, task)
  checkInput(caller, task, input)
  const plan = planCall(run.options.catalog, {
    ...{ caller: caller.node, number, task, input, from: run.plan.from },
    isThere: (needed) => isThere(run, caller, task, needed),
  })
  checkCalled(run, caller, plan)
  return plan
}

/** The same as of a result: it is written to the journal, and may be read by another process. */
function checkInput({ node }: NodeState, task: string, input: unknown): void {
  const found = notJson(input)
  if (found) {
    const where = found.path === '' ? 'the input' : `'${found.path}' of the input`
    throw new Problem(
      'task',
      'INPUT_NOT_JSON',
      `${where} with which '${node.task}' calls '${task}' is ${found.what}, which JSON cannot carry`,
      {
        hint: 'Inputs go through the journal: give strings, finite numbers, booleans, null, arrays and plain objects.',
      },
    )
  }
  const text = JSON.stringify(input) as string | undefined
  if (text === undefined || redact(text) === text) return
  throw new Problem(
    'task',
    'INPUT_SECRET',
    `the input with which '${node.task}' calls '${task}' contains a secret`,
    { hint: 'Inputs are written to the journal: pass the Secret itself, not its value.' },
  )
}

/** @throws Problem `CALL_STOPPED` (task), or what the caller's signal was aborted with */
function mayStart(run: RunState, { caller, task }: Call, signal: AbortSignal): void {
  signal.throwIfAborted()
  if (!run.journalLost || caller.afterStop) return
  throw new Problem('task', 'CALL_STOPPED', `'${task}' was not started: ${run.stopping ?? 'the run stops'}`)
}
