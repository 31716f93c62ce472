import { group, optional, task, type HostSelector } from '@deployfile/core'
import { staleReleases } from './cleanup.ts'
import { flip, flipBack } from './flip.ts'
import { surveyHost } from './host-state.ts'
import { locate } from './layout.ts'
import { stageOptions, type DeployOptions, type WhenReady } from './options.ts'
import { previewCleanup, previewFlip, previewRevisionLog } from './preview.ts'
import { removeOldReleases } from './release.ts'
import { restartAfterGoingBack, restartApplication } from './restart.ts'
import { appendRevisionLog, deployedLine, rolledBackLine } from './revision-log.ts'
import type { RollbackTasks } from './rollback-tasks.ts'
import type { DeployTasks, MigrateTask, TasksBeforeMigrate } from './tasks.ts'

export type PublishTasks = Pick<DeployTasks, 'publishing' | 'publish' | 'published'>
export type FinishTasks = Pick<DeployTasks, 'restart' | 'finishing' | 'cleanup' | 'logRevision' | 'finished'>

/** The flip. `publish` comes after a milestone, so that no host is switched before every host has its release. */
export function publishTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  {
    updated,
    release,
    migrate,
  }: Pick<TasksBeforeMigrate, 'updated' | 'release'> & { readonly migrate: MigrateTask },
): PublishTasks {
  const publishing = group('deploy:publishing', { updated: optional(updated), migrate: optional(migrate) })
  const publish = task('deploy:publish', {
    desc: 'Point current at the release',
    on,
    needs: { release: optional(release), publishing: optional(publishing) },
    when,
    run: (context) => {
      const { stage, host, needs } = context
      const { name, revision, branch } = needs.release ?? {}
      const details = { ...(revision !== undefined && { revision }), ...(branch !== undefined && { branch }) }
      return flip(context, stageOptions(options, stage, host), name, details)
    },
    preview: (context) =>
      previewFlip(context, stageOptions(options, context.stage, context.host), context.needs.release?.name),
    // Going back is one thing on a host: the link, then the application that may have started from the new one. Without a result the
    // flip may have been done all the same; then the release knows what was there before.
    async undo(context) {
      const { stage, host, needs, result } = context
      const flipped = result ?? needs.release
      if (!flipped || !needs.release) return
      const settled = stageOptions(options, stage, host)
      const back = await flipBack(context, settled, flipped, { [flipped.name]: 'building' })
      if (back && flipped.previous !== undefined) await restartAfterGoingBack(context, settled)
    },
  })
  const published = group('deploy:published', {
    publishing: optional(publishing),
    publish: optional(publish),
  })
  return { publishing, publish, published }
}

/** What follows a flip, of a deploy and of a rollback alike. */
export function finishTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  tasks: Pick<TasksBeforeMigrate, 'release'> & PublishTasks & Pick<RollbackTasks, 'revert' | 'reverted'>,
): FinishTasks {
  const { release, published, revert, reverted } = tasks
  // Nothing verifies the application yet, so the point of no return is here: what fails later undoes no release.
  const restart: DeployTasks['restart'] = task('deploy:restart', {
    desc: 'Restart the application',
    on,
    commits: true,
    needs: { release: optional(release), published: optional(published), reverted: optional(reverted) },
    when,
    preview: true,
    async run(context) {
      const { stage, host, needs, skip } = context
      const restarted = await restartApplication(context, stageOptions(options, stage, host), needs.release)
      if (!restarted) skip(`no 'restart' option is given to deploy()`)
    },
  })
  const finishing = group('deploy:finishing', { restart: optional(restart), published: optional(published) })
  const cleanup = task('deploy:cleanup', {
    desc: 'Remove old releases',
    on,
    onError: 'warn',
    needs: { finishing: optional(finishing), release: optional(release) },
    when,
    run: async (context) => {
      const { stage, host, remote, log } = context
      const settled = stageOptions(options, stage, host)
      const { deployTo } = await locate(remote, settled.deployTo)
      const removed = staleReleases(await surveyHost(remote, deployTo), settled.keepReleases)
      if (removed.length > 0) await removeOldReleases(context, settled, removed)
      log(
        removed.length > 0
          ? `removed ${removed.join(', ')}`
          : `nothing older than the last ${settled.keepReleases}`,
      )
      return { removed }
    },
    preview: async (context) => {
      const { stage, host, remote, needs } = context
      const settled = stageOptions(options, stage, host)
      const { deployTo } = await locate(remote, settled.deployTo)
      return previewCleanup(context, settled, await surveyHost(remote, deployTo), needs.release)
    },
  })
  const logRevision: DeployTasks['logRevision'] = task('deploy:log_revision', {
    desc: 'Write what was done to revisions.log',
    on,
    onError: 'warn',
    needs: {
      ...{ finishing: optional(finishing), restart: optional(restart) },
      ...{ release: optional(release), revert: optional(revert) },
    },
    when,
    preview: true,
    async run(context) {
      const { stage, host, run, needs, skip } = context
      const settled = stageOptions(options, stage, host)
      const append = run.dryRun === true ? previewRevisionLog : appendRevisionLog
      if (needs.release) await append(context, settled, deployedLine(needs.release, run.user))
      else if (needs.revert) await append(context, settled, rolledBackLine(needs.revert, run.user))
      else skip('nothing was deployed or rolled back')
    },
  })
  const finished = group('deploy:finished', {
    ...{ finishing: optional(finishing), restart: optional(restart) },
    ...{ cleanup: optional(cleanup), logRevision: optional(logRevision) },
  })
  return { restart, finishing, cleanup, logRevision, finished }
}
