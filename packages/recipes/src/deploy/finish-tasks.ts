import { group, optional, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import { archiveRelease } from './archive.ts'
import { staleReleases, withRelease } from './cleanup.ts'
import { surveyHost } from './host-state.ts'
import { locate } from './layout.ts'
import { stageOptions, type Planning, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import { previewArchive, previewCleanup, previewRevisionLog } from './preview.ts'
import { removeOldReleases } from './remove.ts'
import { appendRevisionLog, deployedLine, rolledBackLine } from './revision-log.ts'
import { badRelease } from './rollback.ts'
import type { DeployTasks } from './tasks.ts'

export type FinishTasks = Pick<
  DeployTasks,
  'finishing' | 'cleanup' | 'logRevision' | 'finished' | 'rollbackArchive'
>

/** What comes when the release is good, of a deploy and of a rollback alike. It only warns. */
export function finishTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  {
    check,
    release,
    revert,
    rollbackCheck,
    published,
    healthy,
    lockHold,
  }: Pick<
    DeployTasks,
    'check' | 'release' | 'revert' | 'rollbackCheck' | 'published' | 'healthy' | 'lockHold'
  >,
): FinishTasks {
  const task = taskAs(options)
  const finishing = group('deploy:finishing', { healthy: optional(healthy), published: optional(published) })
  const cleanup = task('deploy:cleanup', {
    desc: 'Remove old releases',
    on,
    onError: 'warn',
    needs: { finishing: optional(finishing), release: optional(release), state: optional(check) },
    when,
    run: async (context) => {
      const { stage, host, remote, needs, log } = context
      const settled = stageOptions(options, stage, host)
      const { release: made, state } = needs
      const now =
        made && state
          ? withRelease(state, made)
          : await surveyHost(remote, (await locate(remote, settled.deployTo)).deployTo)
      const stale = staleReleases(now, settled.keepReleases)
      const removed = await removeOldReleases(context, settled, stale)
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
      ...{ finishing: optional(finishing), healthy: optional(healthy) },
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
    ...{ finishing: optional(finishing), healthy: optional(healthy) },
    ...{ cleanup: optional(cleanup), logRevision: optional(logRevision) },
  })
  // After everything that people wait for: it takes as long as gzip does.
  const rollbackArchive = task('deploy:rollback:archive', {
    desc: 'Pack the release that was rolled back, and remove it',
    on,
    onError: 'warn',
    needs: {
      ...{ revert: optional(revert), state: optional(rollbackCheck) },
      ...{ finished: optional(finished), healthy: optional(healthy), lock: optional(lockHold) },
    },
    when: ({ stage, host }: Planning) =>
      stageOptions(options, stage, host).rolledBack === 'archive' ? true : `deploy() has rolledBack: 'keep'`,
    async run(context) {
      const { stage, host, needs, log, skip } = context
      const bad = badRelease(needs.state, needs.revert?.name, needs.lock)
      if (bad === undefined) {
        skip('nothing bad was left behind here')
        return undefined
      }
      const archive = await archiveRelease(context, stageOptions(options, stage, host), bad)
      if (archive === undefined) {
        skip(`the release ${bad} is gone, or live again`)
        return undefined
      }
      log(`the release ${bad} is packed in ${archive}`)
      return { archive }
    },
    preview: async (context) => {
      const { stage, host, needs } = context
      const bad = badRelease(needs.state, needs.revert?.name, needs.lock)
      return bad === undefined ? undefined : previewArchive(context, stageOptions(options, stage, host), bad)
    },
  })
  return { finishing, cleanup, logRevision, finished, rollbackArchive }
}
