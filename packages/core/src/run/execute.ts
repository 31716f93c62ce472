import { setMaxListeners } from 'node:events'
import type { RunStatus } from '../event/event.ts'
import type { Plan } from '../plan/plan.ts'
import { announceBody, enterBody } from './body.ts'
import type { ExecuteOptions } from './execute-options.ts'
import type { NodeOutcome, RunOutcome } from './outcome.ts'
import { gateOf } from './limits.ts'
import { runOnFailure } from './on-failure.ts'
import { blockedBy, isMet, startState, type NodeState, type RunState } from './run-state.ts'
import { finallyAll, undoAll } from './take-back.ts'
import { emit, record, recordOnDisk, stop } from './tell.ts'
import { walk } from './walk.ts'

/** Runs a plan to its end. Resolves also when tasks fail: failures are values. Closes neither the shells nor the journal. */
export async function execute(plan: Plan, options: ExecuteOptions): Promise<RunOutcome> {
  const run = startState(plan, options)
  emit(run, {
    type: 'run.started',
    stage: plan.stage,
    tasks: plan.requested,
    nodes: plan.nodes.length,
    user: options.run.user,
  })
  await recordOnDisk(run)
  await runBodies(run)
  const status = statusOf(run)
  // A fresh signal: what takes back must not be stopped by what stopped the work.
  const calm = new AbortController().signal
  // Every command of every undo listens to it.
  setMaxListeners(0, calm)
  if (status !== 'done') {
    await undoAll(run, calm)
    await runOnFailure(run, calm)
  }
  await finallyAll(run, calm)
  // A `finally` that failed makes a good run a failed one, but what was done well stays done.
  const ended = status === 'done' && run.failures.length > 0 ? 'failed' : status
  emit(run, { type: 'run.ended', status: ended, durationMs: run.clock.now() - run.startedAt })
  await recordOnDisk(run)
  return { status: ended, failures: run.failures, nodes: outcomesOf(run, status) }
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

/** By node id; onFailure tasks only when they had their turn. */
function outcomesOf(run: RunState, status: RunStatus): ReadonlyMap<string, NodeOutcome> {
  const outcomes = new Map<string, NodeOutcome>()
  const sets = status === 'done' ? [run.main] : [run.main, run.onFailure]
  for (const set of sets) for (const state of set?.states ?? []) outcomes.set(state.node.id, outcomeOf(state))
  return outcomes
}

function outcomeOf({ status, result, undone, abandoned }: NodeState): NodeOutcome {
  if (status === 'waiting' || status === 'running') throw new Error('a node of the plan was not settled')
  // The plain case apart: there is one of these for every node.
  if (undone === undefined && !abandoned) return result === undefined ? { status } : { status, result }
  return {
    status,
    ...(result !== undefined && { result }),
    ...(undone !== undefined && { undone }),
    ...(abandoned && { abandoned }),
  }
}
