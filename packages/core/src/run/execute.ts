import { setMaxListeners } from 'node:events'
import type { RunStatus } from '../event/event.ts'
import type { Plan } from '../plan/plan.ts'
import { visitBody } from './body.ts'
import type { ExecuteOptions } from './execute-options.ts'
import { toGraph } from './graph.ts'
import type { NodeOutcome, RunOutcome } from './outcome.ts'
import { gateOf, heldForEver } from './limits.ts'
import { runOnFailure } from './on-failure.ts'
import {
  blockedBy,
  edgesInto,
  emit,
  isMet,
  startState,
  stop,
  type NodeState,
  type RunState,
} from './run-state.ts'
import { finallyAll, undoAll } from './take-back.ts'
import { walk } from './walk.ts'

/** Runs a plan to its end. Resolves also when tasks fail: failures are values. Closes neither the shells nor the journal. */
export async function execute(plan: Plan, options: ExecuteOptions): Promise<RunOutcome> {
  const run = startState(plan, options)
  const graph = toGraph(plan.nodes, plan.edges)
  const { signal, journal } = options
  const onAbort = (): void => {
    stop(run, 'the run was interrupted')
    run.work.abort(signal.reason)
  }
  emit(run, {
    type: 'run.started',
    stage: plan.stage,
    tasks: plan.requested,
    nodes: plan.nodes.length,
    user: options.run.user,
  })
  journal?.sync()
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  const needed = edgesInto(plan.edges)
  await walk(
    graph,
    run.inAll,
    (index) => {
      const state = run.nodes[index]
      return (
        state &&
        visitBody(
          run,
          state,
          blockedBy(run, needed.get(state.node.id)) ?? run.stopping ?? heldForEver(run, state),
          run.work.signal,
        )
      )
    },
    gateOf(run, run.nodes),
  )
  signal.removeEventListener('abort', onAbort)
  const status = statusOf(run)
  // A fresh signal: what takes back must not be stopped by what stopped the work.
  const calm = new AbortController().signal
  // Every command of every undo listens to it.
  setMaxListeners(0, calm)
  if (status !== 'done') {
    await undoAll(run, graph, calm)
    await runOnFailure(run, calm)
  }
  await finallyAll(run, graph, calm)
  // A `finally` that failed makes a good run a failed one, but what was done well stays done.
  const ended = status === 'done' && run.failures.length > 0 ? 'failed' : status
  emit(run, { type: 'run.ended', status: ended, durationMs: run.clock.now() - run.startedAt })
  journal?.sync()
  return {
    status: ended,
    failures: run.failures,
    nodes: new Map(
      [...run.nodes, ...(status === 'done' ? [] : run.onFailure)].map((state) => [
        state.node.id,
        outcomeOf(state),
      ]),
    ),
  }
}

// An interrupt that came when everything had ended well changes nothing.
function statusOf(run: RunState): RunStatus {
  if (run.nodes.some(({ status }) => status === 'failed')) return 'failed'
  return run.nodes.every((state) => isMet(state)) ? 'done' : 'cancelled'
}

function outcomeOf({ status, result, undone, abandoned }: NodeState): NodeOutcome {
  if (status === 'waiting' || status === 'running') throw new Error('a node of the plan was not settled')
  return {
    status,
    ...(result !== undefined && { result }),
    ...(undone !== undefined && { undone }),
    ...(abandoned && { abandoned }),
  }
}
