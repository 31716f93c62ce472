import type { RunEvent, RunEventBody } from '../event/event.ts'
import { Problem } from '../problem/problem.ts'
import type { NodeState } from './node-state.ts'
import { addFailure, type RunState } from './run-state.ts'

/** Puts an event into the stream: to the journal first. */
export function emit(run: RunState, body: RunEventBody): void {
  run.seq++
  // Completed, not copied: every body is made for this call, and there are several to each node.
  const event: RunEvent = Object.assign(body, { seq: run.seq, at: run.clock.now() })
  const { journal, onEvent } = run.options
  if (!journal || run.journalLost) {
    onEvent?.(event)
    return
  }
  try {
    journal.append(event)
  } catch (thrown) {
    // What follows from the loss comes after this event, also for those who listen.
    onEvent?.(event)
    loseJournal(run, thrown)
    return
  }
  onEvent?.(event)
}

/** An event of a called node says which node called it. */
export function ofCalled<E extends RunEventBody>(state: NodeState, event: E): E {
  return state.caller ? Object.assign(event, { parent: state.caller.node.id }) : event
}

/** Done when whatever was announced has not happened unrecorded, should this process be killed. Never throws or rejects. */
export function record(run: RunState): void | Promise<void> {
  return reach(run, 'flush')
}

/** As {@link record}, should the power fail. */
export function recordOnDisk(run: RunState): void | Promise<void> {
  return reach(run, 'sync')
}

function reach(run: RunState, how: 'flush' | 'sync'): void | Promise<void> {
  const { journal } = run.options
  if (!journal || run.journalLost) return undefined
  const lost = (thrown: unknown): void => {
    loseJournal(run, thrown)
  }
  try {
    const reached = journal[how]()
    return reached?.catch(lost)
  } catch (thrown) {
    lost(thrown)
    return undefined
  }
}

/** What nobody could take back after a crash must not start; what has started is taken back now. */
function loseJournal(run: RunState, cause: unknown): void {
  if (run.journalLost) return
  run.journalLost = true
  const why = cause instanceof Error ? cause.message : String(cause)
  const problem = new Problem(
    'check',
    'JOURNAL_LOST',
    `the log of the run can no longer be written: ${why}`,
    {
      hint: 'Nothing more was started. Make room or mend the rights of .deployfile/runs, then run again.',
      cause,
    },
  )
  addFailure(run, JOURNAL, 'run', problem)
  stop(run, 'the log of the run can no longer be written')
}

/** Stands for a node in a failure that is of none. */
export const JOURNAL = 'journal'

/** No new node starts from here on; the first reason stays. Does nothing once the work is over: what takes back is never stopped. */
export function stop(run: RunState, reason: string): void {
  if (run.stopping !== undefined || run.worked) return
  run.stopping = reason
  emit(run, { type: 'run.stopping', reason })
  for (const told of run.onStop) told()
}

/** What a failure of a body does to the rest of the run. */
export function stopAfterFailure(run: RunState, { node, afterStop, caller }: NodeState): void {
  const { onFailure = 'no-new' } = run.options
  if (afterStop || caller || onFailure === 'continue') return
  const { tolerance } = node
  const more =
    tolerance === undefined
      ? ''
      : `, one host more than the ${String(tolerance.max)} that rolling.maxFail lets fail`
  stop(run, `'${node.id}' failed${more}`)
  if (onFailure === 'kill') run.work.abort(new Error(`'${node.id}' failed`))
}
