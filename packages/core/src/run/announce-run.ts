import type { RunEventBody, RunStatus } from '../event/event.ts'
import type { RunState } from './run-state.ts'
import { emit, recordOnDisk } from './tell.ts'

/** How a run goes on that another process had; undefined for one that is new. */
export type GoingOn = Pick<Extract<RunEventBody, { type: 'run.resumed' }>, 'mode' | 'kept'>

/** The first event of this process, on disk: from here on the run can be resumed or taken back by another one. */
export function announceRun(run: RunState, goingOn?: GoingOn): void | Promise<void> {
  const { plan, options } = run
  const { process, undo = 'on', sources = {} } = options
  const { id, startedAt, user, root } = run.jobRun
  const by = { undo, ...(process && { process }) }
  if (goingOn) {
    const changed = changedSources(options.resumed?.sources ?? {}, sources)
    emit(run, { type: 'run.resumed', ...goingOn, changed, user, ...by })
  } else {
    // What a list of runs shows comes first: the plan may be large.
    emit(run, {
      type: 'run.started',
      format: 1,
      stage: plan.stage,
      tasks: plan.requested,
      nodes: plan.nodes.length,
      user,
      run: { id, startedAt, user, root },
      plan,
      sources,
      ...(options.dryRun === true && { dryRun: true }),
      ...by,
    })
  }
  return recordOnDisk(run)
}

export function announceRunEnd(run: RunState, status: RunStatus): void | Promise<void> {
  emit(run, { type: 'run.ended', status, durationMs: run.clock.now() - run.startedAt })
  return recordOnDisk(run)
}

/** The files that are not the same any more, gone, or new. */
export function changedSources(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (file) => before[file] !== now[file],
  )
}
