import type { RunStatus } from '../event/event.ts'
import type { Plan } from '../plan/plan.ts'
import { announceRun, announceRunEnd } from './announce-run.ts'
import { announceBody, enterBody } from './body.ts'
import type { ExecuteOptions } from './execute-options.ts'
import type { RunOutcome } from './outcome.ts'
import { calledOf, outcomesOf } from './outcomes.ts'
import { keptOf, restoreForResume } from './resume.ts'
import { gateOf } from './limits.ts'
import { isMet } from './node-state.ts'
import { blockedBy, startState, type RunState } from './run-state.ts'
import { takeBack } from './take-back-all.ts'
import { record, stop } from './tell.ts'
import { walk } from './walk.ts'

/**
 * Runs a plan to its end, or goes on with one that was recorded (`resumeQuestions` says what to ask before). Resolves also when tasks
 * fail: failures are values. Closes neither the shells nor the journal.
 */
export async function execute(plan: Plan, options: ExecuteOptions): Promise<RunOutcome> {
  const run = startState(plan, options)
  const { resumed } = options
  if (resumed) {
    const kept = keptOf(resumed)
    restoreForResume(run, resumed, kept)
    await announceRun(run, { mode: 'resume', kept: [...kept] })
  } else await announceRun(run)
  await runBodies(run)
  const status = statusOf(run)
  // Nothing was done that could be taken back.
  if (options.dryRun !== true) await takeBack(run, status !== 'done')
  // A `finally` that failed makes a good run a failed one, but what was done well stays done.
  const ended = status === 'done' && run.failures.length > 0 ? 'failed' : status
  await announceRunEnd(run, ended)
  const nodes = outcomesOf(run, status !== 'done' && options.dryRun !== true)
  // The end itself could not be recorded: the next command will find a run that never ended.
  const told = ended === 'done' && run.journalLost ? 'failed' : ended
  return { status: told, failures: run.failures, nodes, ...calledOf(run), ...(run.left && { left: true }) }
}

/** The work itself, until everything has settled; an interrupt cancels it. */
async function runBodies(run: RunState): Promise<void> {
  const { signal } = run.options
  const { states, graph } = run.main
  const onAbort = (): void => {
    stop(run, 'the run was interrupted')
    run.work.abort(signal.reason)
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  await walk(
    graph,
    run.inAll,
    {
      announce(index) {
        const state = states[index]
        if (!state) return false
        return announceBody(run, state, blockedBy(run.main, index) ?? run.stopping)
      },
      announced: () => record(run),
      enter(index) {
        const state = states[index]
        return state && enterBody(run, state, run.work.signal)
      },
    },
    gateOf(run, states),
  )
  signal.removeEventListener('abort', onAbort)
  run.worked = true
}

// An interrupt that came when everything had ended well changes nothing, and none of what failed before it.
function statusOf(run: RunState): RunStatus {
  const { states } = run.main
  if (states.every((state) => isMet(state))) return 'done'
  const failed = run.journalLost || states.some(({ status }) => status === 'failed')
  return failed || !run.options.signal.aborted ? 'failed' : 'cancelled'
}
