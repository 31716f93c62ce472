import { all, group, optional, Problem, type HostSelector, type PerHost } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import { checkHost } from './check.ts'
import type { HostState } from './host-state.ts'
import { locate } from './layout.ts'
import { resumeLock } from './lock/keep.ts'
import { stageOptions, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import { previewRelease } from './preview.ts'
import { nextReleaseName, releaseTime } from './release-name.ts'
import { buildRelease } from './release.ts'
import { removeRelease } from './remove.ts'
import { revisionInput } from './revision-input.ts'
import type { DeployTasks } from './tasks.ts'
import type { Revision, TasksBeforeMigrate } from './before-migrate.ts'

/** From `deploy:starting` to `deploy:updated`: what is made before anything is switched. */
export function buildTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  { starting, lockHold }: Pick<DeployTasks, 'starting' | 'lockHold'>,
): TasksBeforeMigrate {
  const task = taskAs(options)
  const check = task('deploy:check', {
    desc: 'Check that folders, linked files and programs are there',
    on,
    effect: 'read',
    // What other runs have left is looked at when no other run is there any more.
    needs: { starting: optional(starting), lock: optional(lockHold) },
    when,
    preview: true,
    run: (context) => {
      const settled = stageOptions(options, context.stage, context.host)
      // In a deploy the lock comes first. Without locks nobody can tell: then it asks no more than a deploy needs.
      return checkHost(context, settled, settled.lock && context.needs.lock === undefined)
    },
  })
  const revision = task('deploy:revision', {
    desc: 'Find the commit of the branch, and a name for the release',
    on: { role: on, pick: 'primary' },
    effect: 'read',
    needs: { states: all(check) },
    input: revisionInput,
    when,
    preview: true,
    async run(context): Promise<Revision> {
      const { stage, host, run, needs, input, log } = context
      const { source } = stageOptions(options, stage, host)
      const settled = await source.settle(context, input.revision ?? input.branch)
      const name = nextReleaseName(run.startedAt, takenNames(needs.states))
      log(`${settled.branch} is ${settled.revision}; the release is ${name}`)
      return { name, ...settled }
    },
    finally: (context) => stageOptions(options, context.stage, context.host).source.clear?.(context),
  })
  const started = group('deploy:started', { check: optional(check), revision: optional(revision) })
  const updating = group('deploy:updating', { started: optional(started) })
  const release = task('deploy:release', {
    desc: 'Build the release beside the others, linked to what is shared',
    on,
    needs: { state: check, revision, updating: optional(updating), lock: optional(lockHold) },
    when,
    async run(context) {
      const { stage, host, remote, needs } = context
      const { revision: wanted, state, lock } = needs
      const settled = stageOptions(options, stage, host)
      if (lock?.host === host.name) await resumeLock(context, await locate(remote, settled.deployTo))
      return buildRelease(context, settled, wanted, state, lock !== undefined)
    },
    preview: (context) => {
      const { stage, host, needs } = context
      return previewRelease(context, stageOptions(options, stage, host), needs.revision, needs.state)
    },
    async undo(context) {
      const { stage, host, needs, log } = context
      const kept = await removeRelease(context, stageOptions(options, stage, host), needs.revision.name)
      if (kept !== undefined) log(`the failed release stays in ${kept}`)
    },
  })
  const updated = group('deploy:updated', { updating: optional(updating), release: optional(release) })
  return { starting, check, revision, started, updating, release, updated }
}

/** The newest name of each host. A name that is no time would stay the newest for ever, and order by name would mean nothing. */
function takenNames(states: PerHost<HostState>): readonly string[] {
  return states.flatMap(({ host, value: { newest } }) => {
    if (newest === undefined) return []
    if (releaseTime(newest) !== undefined) return [newest]
    throw new Problem(
      'check',
      'RELEASE_NAME_INVALID',
      `${host.name}: the newest release ${newest} is named after no time`,
      {
        host: host.name,
        hint: `Names are UTC times, YYYYMMDDHHMMSS. Move releases/${newest} out of releases, or rename it.`,
      },
    )
  })
}
