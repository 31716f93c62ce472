import { all, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import { stageOptions, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import { findPending, pendingLines } from './pending.ts'
import { listReleases, releaseTable } from './releases.ts'
import { revisionInput } from './revision-input.ts'
import type { DeployTasks } from './tasks.ts'

export type LookTasks = Pick<DeployTasks, 'releasesHost' | 'releases' | 'pending'>

/** What only looks. */
export function lookTasks(options: DeployOptions, on: HostSelector, when: WhenReady): LookTasks {
  const task = taskAs(options)
  const releasesHost = task('deploy:releases:host', {
    on,
    effect: 'read',
    when,
    preview: true,
    run: (context) => listReleases(context, stageOptions(options, context.stage, context.host)),
  })
  const releases = task('deploy:releases', {
    desc: 'List the releases: revision, who, when, state',
    effect: 'read',
    needs: { hosts: all(releasesHost) },
    preview: true,
    run({ needs, log }) {
      for (const line of releaseTable(needs.hosts)) log(line)
    },
  })
  const pending: DeployTasks['pending'] = task('deploy:pending', {
    desc: 'Show the commits that a deploy would bring',
    on: { role: on, pick: 'primary' },
    // The mirror that it may bring up to date serves nobody.
    effect: 'read',
    input: revisionInput,
    when,
    preview: true,
    async run(context) {
      const { stage, host, input, log } = context
      const settled = stageOptions(options, stage, host)
      const found = await findPending(context, settled, input.revision ?? input.branch)
      for (const line of pendingLines(found)) log(line)
      return found
    },
  })
  return { releasesHost, releases, pending }
}
