import {
  checkResumable,
  checkUndoable,
  comparePlans,
  isProblem,
  keptOf,
  nodesToUndo,
  Problem,
  readRun,
  requestOf,
  resolvePlan,
  resumeQuestions,
  undoQuestions,
  type Catalog,
  type Plan,
  type RecordedRun,
} from '@deployfile/core'
import { claimRun } from './claim.ts'
import { answer, confirmStages, stageQuestions, type Answers } from './confirm.ts'
import { findRun, folderOf } from './past-runs.ts'
import { thisProcess } from './process.ts'
import { sourcesOf } from './sources.ts'
import type { Place, Work } from './work.ts'

export interface Wanted {
  readonly mode: 'resume' | 'undo'
  /** An id or how one begins; undefined: the last run. */
  readonly id: string | undefined
}

/**
 * Takes over a run that another process has left, to go on with it or to undo it. Everything that has to be asked is asked here,
 * before anything starts.
 * @throws Problem (usage) `RUN_UNKNOWN`, `RUN_ALIVE`, `RESUME_REFUSED`, `UNDO_REFUSED`, `PLAN_CHANGED`; (check) `NOT_CONFIRMED`,
 * `RESUME_REFUSED` for a task that must not be run again, `JOURNAL_MISSING`, `JOURNAL_BROKEN`, `SECRET_UNKNOWN`
 */
export async function takeUp({ mode, id: word }: Wanted, place: Place, answers: Answers): Promise<Work> {
  const { catalog, config, root } = place
  const id = findRun(root, word)
  const folder = folderOf(root, id)
  const process = thisProcess()
  const claim = await claimRun(folder, process, (question) => answer(question, answers))
  try {
    const { recorded, bytes } = await readRun(folder)
    const plan =
      mode === 'resume'
        ? await readyToResume(recorded, catalog, answers)
        : await readyToUndo(recorded, catalog, answers)
    // What bodies know of the run stays as it was; only where the project lies may have changed.
    const run = { ...recorded.run, root }
    const sources = sourcesOf(catalog, config, root)
    return { catalog, plan, run, folder, process, claim, sources, before: { mode, recorded, bytes } }
  } catch (thrown) {
    claim.release()
    throw thrown
  }
}

async function readyToResume(recorded: RecordedRun, catalog: Catalog, answers: Answers): Promise<Plan> {
  checkResumable(recorded)
  const plan = samePlan(recorded, catalog)
  const questions = resumeQuestions(recorded, catalog)
  const kept = keptOf(recorded)
  const left = plan.nodes.filter(({ id }) => !kept.has(id))
  await confirmStages(stageQuestions({ nodes: left }, catalog), answers)
  for (const question of questions) await answer(question, answers)
  return plan
}

async function readyToUndo(recorded: RecordedRun, catalog: Catalog, answers: Answers): Promise<Plan> {
  checkUndoable(recorded, catalog)
  const nodes = nodesToUndo(recorded, catalog)
  const undoes = stageQuestions({ nodes }, catalog).map((one) => ({ ...one, destroys: false, undoes: true }))
  await confirmStages(undoes, answers)
  for (const question of undoQuestions(recorded)) await answer(question, answers)
  return recorded.plan
}

/** The plan that the config makes now of what was asked for then; nothing of it may be another one. */
function samePlan(recorded: RecordedRun, catalog: Catalog): Plan {
  const { id } = recorded.run
  const changed = (what: readonly string[]): Problem =>
    new Problem(
      'usage',
      'PLAN_CHANGED',
      `the run ${id} cannot be resumed: its plan is not the same any more\n${what.map((line) => `  ${line}`).join('\n')}`,
      { hint: `Put the config back as it was, or undo the run: deployfile runs undo ${id}` },
    )
  let now: Plan
  try {
    now = resolvePlan(catalog, requestOf(recorded.plan))
  } catch (thrown) {
    throw isProblem(thrown) ? changed([thrown.message]) : thrown
  }
  const changes = comparePlans(recorded.plan, now)
  if (changes.length > 0) throw changed(changes)
  return now
}
