import { all, group, optional, task } from '@deployfile/core'
import { nameBackup } from './backup-made.ts'
import { stageOptions } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import type { Decision, DeployTasks } from './tasks.ts'
import { typed } from './typed.ts'

export type DecideTasks = Pick<DeployTasks, 'decide' | 'published' | 'reverted'>

/**
 * What follows the flip of all hosts. From here on it depends on `onUnhealthy` whether a failure goes back: if not, `decide` commits,
 * so that every host stays on the new release; if so it skips itself, which commits nothing. A flip that failed on some host never
 * gets here, and goes back on all of them.
 */
export function decideTasks(
  options: DeployOptions,
  {
    publish,
    revert,
    migrate,
    backup,
    publishing,
    reverting,
  }: Pick<DeployTasks, 'publish' | 'revert' | 'migrate' | 'backup' | 'publishing' | 'reverting'>,
): DecideTasks {
  const decide = task('deploy:decide', {
    desc: 'Decide whether a failure after the flip goes back',
    effect: 'read',
    commits: true,
    needs: {
      ...{ publish: optional(all(publish)), revert: optional(all(revert)) },
      ...{ migrated: optional(migrate), backup: optional(backup) },
    },
    preview: true,
    run(context): Decision {
      const { stage, needs, log, skip } = context
      const because = whyNotBack(stageOptions(options, stage).onUnhealthy, needs.migrated !== undefined)
      const named = nameBackup(needs.backup)
      const made = named === '' ? {} : { backup: named }
      if (because === undefined)
        return skip('a failure of restart or verify goes back', { goesBack: true, ...made })
      log(
        `if restart or verify fails, every host stays on this release, because ${because}; to go back: ${typed(context, 'deploy:rollback')}`,
      )
      return { goesBack: false, because, ...made }
    },
  })
  const published = group('deploy:published', {
    ...{ publishing: optional(publishing), publish: optional(publish), decide: optional(decide) },
  })
  const reverted = group('deploy:reverted', {
    ...{ reverting: optional(reverting), revert: optional(revert), decide: optional(decide) },
  })
  return { decide, published, reverted }
}

function whyNotBack(
  policy: 'rollback' | 'rollback-despite-migrations' | 'stop',
  migrated: boolean,
): string | undefined {
  if (policy === 'stop') return `onUnhealthy is 'stop'`
  return policy === 'rollback' && migrated ? 'migrations ran' : undefined
}
