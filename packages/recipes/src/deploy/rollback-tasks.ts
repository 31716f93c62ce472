import { all, group, optional, task, type HostSelector } from '@deployfile/core'
import { checkRollback } from './check.ts'
import { flip, flipBack } from './flip.ts'
import { stageOptions, type DeployOptions, type WhenReady } from './options.ts'
import { previewFlip } from './preview.ts'
import { restartAfterGoingBack } from './restart.ts'
import { chooseTarget } from './rollback.ts'
import type { DeployTasks } from './tasks.ts'

export type RollbackTasks = Pick<
  DeployTasks,
  'rollbackCheck' | 'rollbackTarget' | 'reverting' | 'revert' | 'reverted'
>

/** Back to the release before the live one, the same on every host; no git server is asked. */
export function rollbackTasks(options: DeployOptions, on: HostSelector, when: WhenReady): RollbackTasks {
  const rollbackCheck = task('deploy:rollback:check', {
    desc: 'Check that there is a release to go back to',
    on,
    effect: 'read',
    when,
    preview: true,
    run: (context) => checkRollback(context, stageOptions(options, context.stage, context.host)),
  })
  // A target is chosen before the milestone: a hook there must not run for a rollback that cannot be done.
  const rollbackTarget = task('deploy:rollback:target', {
    desc: 'Choose the release to go back to',
    effect: 'read',
    needs: { states: all(rollbackCheck) },
    preview: true,
    run: ({ needs, log }) => {
      const name = chooseTarget(needs.states)
      log(`going back to ${name}`)
      return { name }
    },
  })
  const reverting = group('deploy:reverting', { target: optional(rollbackTarget) })
  const revert = task('deploy:revert', {
    desc: 'Point current at the release before',
    on,
    needs: { state: rollbackCheck, target: rollbackTarget, reverting: optional(reverting) },
    when,
    run: (context) => {
      const { stage, host, needs } = context
      const { live } = needs.state
      const { name } = needs.target
      // A host that lagged behind had nothing bad.
      const bad = live !== undefined && live > name ? [live] : []
      return flip(context, stageOptions(options, stage, host), name, { bad })
    },
    preview: (context) => {
      const { stage, host, needs } = context
      return previewFlip(context, stageOptions(options, stage, host), needs.target.name)
    },
    async undo(context) {
      const { stage, host, needs, result } = context
      const { live, link } = needs.state
      const flipped = result ?? { name: needs.target.name, ...(link !== undefined && { previous: link }) }
      const settled = stageOptions(options, stage, host)
      const back = await flipBack(context, settled, flipped, live === undefined ? {} : { [live]: 'live' })
      if (back) await restartAfterGoingBack(context, settled)
    },
  })
  const reverted = group('deploy:reverted', { reverting: optional(reverting), revert: optional(revert) })
  return { rollbackCheck, rollbackTarget, reverting, revert, reverted }
}
