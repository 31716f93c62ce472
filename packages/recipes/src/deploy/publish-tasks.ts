import { group, optional, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import { flip, flipBack } from './flip.ts'
import { locate } from './layout.ts'
import { inBatches } from './in-batches.ts'
import { liveRelease } from './live-release.ts'
import { lockFence } from './lock/tasks.ts'
import { stageOptions, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import { previewFlip } from './preview.ts'
import { restartAfterGoingBack } from './restart.ts'
import type { DeployTasks } from './tasks.ts'

export type PublishTasks = Pick<DeployTasks, 'publishing' | 'lockBeforePublish' | 'publish'>

/** The flip. `publish` comes after a milestone, so that no host is switched before every host has its release. */
export function publishTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  {
    updated,
    release,
    migrate,
    pendingMigrations,
    lockHold,
  }: Pick<DeployTasks, 'updated' | 'release' | 'migrate' | 'pendingMigrations' | 'lockHold'>,
): PublishTasks {
  const task = taskAs(options)
  const publishing = group('deploy:publishing', {
    ...{ updated: optional(updated), migrate: optional(migrate), pending: optional(pendingMigrations) },
  })
  const lockBeforePublish = lockFence('deploy:lock:before_publish', options, on, {
    publishing: optional(publishing),
  })
  const publish: DeployTasks['publish'] = task('deploy:publish', {
    desc: 'Point current at the release',
    on,
    // What a killed flip has done is known from `current` itself, but somebody may have deployed since.
    onResume: 'ask',
    needs: {
      ...{ release: optional(release), publishing: optional(publishing) },
      ...{ lock: optional(lockHold), allowed: optional(lockBeforePublish) },
    },
    when,
    async run(context) {
      const { stage, host, remote, needs } = context
      const settled = stageOptions(options, stage, host)
      const { release: made, lock } = needs
      if (!made) {
        const { deployTo } = await locate(remote, settled.deployTo)
        return flip(context, settled, { name: await liveRelease(context, deployTo), lock })
      }
      const { name, revision, branch, previous } = made
      return flip(context, settled, { name, revision, branch, lock, built: true, from: { link: previous } })
    },
    preview: (context) =>
      previewFlip(context, stageOptions(options, context.stage, context.host), context.needs.release?.name),
    // Going back is one thing on a host: the link, then the application that was told to start from the new one. Without a result the
    // flip may have been done all the same; then the release knows what was there before.
    async undo(context) {
      const { stage, host, needs, result } = context
      if (!needs.release) return
      const { name, previous } = needs.release
      const settled = stageOptions(options, stage, host)
      const flipped = result ?? { name, ...(previous !== undefined && { previous }) }
      const { back, restarted } = await flipBack(context, settled, flipped, { [name]: 'building' })
      if (back && restarted && flipped.previous !== undefined)
        await inBatches(context, options, () => restartAfterGoingBack(context, settled))
    },
  })
  return { publishing, lockBeforePublish, publish }
}
