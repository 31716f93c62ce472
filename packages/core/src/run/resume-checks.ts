import type { Catalog } from '../config/catalog.ts'
import type { RecordedRun } from '../journal/recorded-run.ts'
import type { Plan, PlanHost } from '../plan/plan.ts'
import { Problem } from '../problem/problem.ts'
import { endedWell } from './resume.ts'

/**
 * @throws Problem `RESUME_REFUSED` (usage) for a run that ended well, was undone, or was being undone when its process ended
 */
export function checkResumable(recorded: RecordedRun): void {
  const { id } = recorded.run
  const refuse = (why: string, hint: string): never => {
    throw new Problem('usage', 'RESUME_REFUSED', `the run ${id} cannot be resumed: ${why}`, { hint })
  }
  const again = 'Start a new run.'
  if (recorded.status === 'done') refuse('it ended well', again)
  if (recorded.status === 'undone') refuse('it was undone', again)
  if (recorded.takingBack) {
    if (recorded.status === 'unfinished' || hasStuck(recorded))
      refuse('it was being undone', `Bring that to its end: deployfile runs undo ${id}`)
    refuse('it failed and was undone', again)
  }
  if (allDone(recorded) && recorded.status !== 'unfinished') refuse('all of its tasks are done', again)
  if (recorded.status !== 'unfinished' && !recorded.left) refuse('it failed and was undone', again)
}

/**
 * @throws Problem `UNDO_REFUSED` (usage) for a run that ended well or is undone; for one whose tasks or hosts the config does not have
 * any more
 */
export function checkUndoable(recorded: RecordedRun, catalog: Catalog): void {
  const { id } = recorded.run
  const refuse = (why: string, hint: string): never => {
    throw new Problem('usage', 'UNDO_REFUSED', `the run ${id} cannot be undone: ${why}`, { hint })
  }
  const only = 'What a run that failed or was killed has left can be undone, and only once.'
  if (recorded.status === 'done') refuse('it ended well', only)
  if (recorded.status === 'undone') refuse('that was done already', only)
  if (recorded.status !== 'unfinished' && !recorded.left && !hasStuck(recorded)) {
    refuse(allDone(recorded) ? 'all of its tasks are done' : 'it was undone when it failed', only)
  }
  const missing = missingFor(recorded.plan, catalog)
  if (missing !== undefined) refuse(missing, 'Put that back into the config, and try again.')
}

function allDone({ plan, nodes }: RecordedRun): boolean {
  return plan.nodes.every(({ id }) => endedWell(nodes.get(id)))
}

/** Something could not be undone, or its undo never ended. */
function hasStuck({ nodes }: RecordedRun): boolean {
  return [...nodes.values()].some(({ undo }) => undo === 'failed' || undo === 'begun')
}

/** What the config lacks of what a plan names; a host at another address is another host. */
function missingFor(plan: Plan, catalog: Catalog): string | undefined {
  for (const { task } of [...plan.nodes, ...(plan.onFailure?.nodes ?? [])])
    if (!catalog.tasks.has(task)) return `the config does not have its task '${task}' any more`
  for (const { stage } of plan.nodes)
    if (!catalog.stages.has(stage)) return `the config does not have its stage '${stage}' any more`
  for (const [place, was] of Object.entries(plan.hosts)) {
    const [stage, name] = split(place)
    const now = catalog.stages.get(stage)?.hosts.find((host) => host.name === name)
    if (!now) return `the config does not have its host '${name}' in '${stage}' any more`
    const key = ADDRESS.find((one) => was[one] !== now[one])
    if (key !== undefined) return `the host '${name}' of '${stage}' has another ${key} now`
  }
  return undefined
}

const ADDRESS = [
  'address',
  'user',
  'port',
  'transport',
  'root',
] as const satisfies readonly (keyof PlanHost)[]

function split(place: string): [string, string] {
  const at = place.indexOf('/')
  return [place.slice(0, at), place.slice(at + 1)]
}
