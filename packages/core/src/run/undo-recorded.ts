import type { Catalog } from '../config/catalog.ts'
import type { RecordedRun } from '../journal/recorded-run.ts'
import type { ExecuteOptions } from './execute-options.ts'
import { announceRun, announceRunEnd } from './announce-run.ts'
import type { RunOutcome } from './outcome.ts'
import { calledOf, outcomesOf } from './outcomes.ts'
import type { PlanNode } from '../plan/plan.ts'
import { restoreForUndo } from './resume.ts'
import { startState } from './run-state.ts'
import { takeBack } from './take-back-all.ts'
import { toUndo } from './take-back.ts'

/**
 * Takes back what an earlier process left of a run, as a failure would have: undo of every node that started, is not behind a commit
 * and is not undone yet; then the onFailure tasks and every `finally` that have not had their turn. Can be killed and called again.
 * Its status is 'undone' when all of that went well, else 'failed'. Closes neither the shells nor the journal.
 */
export async function undoRecorded(
  recorded: RecordedRun,
  options: Omit<ExecuteOptions, 'resumed' | 'undo'>,
): Promise<RunOutcome> {
  const run = startState(recorded.plan, { ...options, resumed: recorded })
  restoreForUndo(run, recorded)
  await announceRun(run, { mode: 'undo', kept: [] })
  await takeBack(run, true)
  const status = run.failures.length > 0 ? 'failed' : 'undone'
  await announceRunEnd(run, status)
  return {
    status: run.journalLost ? 'failed' : status,
    failures: run.failures,
    nodes: outcomesOf(run, true),
    ...calledOf(run),
  }
}

/** What {@link undoRecorded} would undo, in the order of the plan. */
export function nodesToUndo(recorded: RecordedRun, catalog: Catalog): readonly PlanNode[] {
  const unused = (): never => {
    throw new Error('nothing is run')
  }
  const run = startState(recorded.plan, {
    catalog,
    shells: { remote: unused, local: unused, close: () => Promise.resolve() },
    run: recorded.run,
    ask: unused,
    signal: new AbortController().signal,
  })
  restoreForUndo(run, recorded)
  return toUndo(run).map(({ node }) => node)
}
