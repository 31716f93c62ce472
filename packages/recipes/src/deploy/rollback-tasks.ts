import { all, group, optional, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import * as z from 'zod'
import { checkRollback } from './check.ts'
import { flip, flipBack } from './flip.ts'
import { lockFence } from './lock/tasks.ts'
import { stageOptions, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import { previewFlip } from './preview.ts'
import { inBatches } from './in-batches.ts'
import { restartAfterGoingBack } from './restart.ts'
import { badRelease, chooseTarget } from './rollback.ts'
import { rollbackMigrationsTask } from './schema-tasks.ts'
import type { DeployTasks } from './tasks.ts'

export type RollbackTasks = Pick<
  DeployTasks,
  'rollbackCheck' | 'rollbackTarget' | 'rollbackMigrations' | 'reverting' | 'lockBeforeRevert' | 'revert'
>

/** Back to the release before the live one, the same on every host; no git server is asked. */
export function rollbackTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  { lockHold }: Pick<DeployTasks, 'lockHold'>,
): RollbackTasks {
  const task = taskAs(options)
  const rollbackCheck = task('deploy:rollback:check', {
    desc: 'Check that there is a release to go back to',
    on,
    effect: 'read',
    needs: { lock: optional(lockHold) },
    when,
    preview: true,
    run: (context) => checkRollback(context, stageOptions(options, context.stage, context.host)),
  })
  // A target is chosen before the milestone: a hook there must not run for a rollback that cannot be done.
  const rollbackTarget = task('deploy:rollback:target', {
    desc: 'Choose the release to go back to',
    effect: 'read',
    needs: { states: all(rollbackCheck), lock: optional(lockHold) },
    input: z.object({
      release: z
        .string()
        .regex(/^\d{14}$/, 'a release is 14 digits; deploy:releases lists them')
        .optional()
        .describe('the release to go to, instead of the one before the live one'),
    }),
    preview: true,
    run: ({ needs, input, log }) => {
      const name = chooseTarget(needs.states, input.release, needs.lock?.from)
      const isLive = needs.states.every(({ value }) => value.live === name)
      log(isLive ? `the rollback to ${name} that was killed is brought to its end` : `going back to ${name}`)
      return { name }
    },
  })
  const rollbackMigrations = rollbackMigrationsTask(options, on, { rollbackCheck, rollbackTarget })
  const reverting = group('deploy:reverting', {
    ...{ target: optional(rollbackTarget), migrations: optional(rollbackMigrations) },
  })
  const lockBeforeRevert = lockFence('deploy:lock:before_revert', options, on, {
    reverting: optional(reverting),
  })
  const revert: DeployTasks['revert'] = task('deploy:revert', {
    desc: 'Point current at the release before',
    on,
    onResume: 'ask',
    needs: {
      ...{ state: rollbackCheck, target: rollbackTarget, reverting: optional(reverting) },
      ...{ lock: optional(lockHold), allowed: optional(lockBeforeRevert) },
    },
    when,
    run: (context) => {
      const { stage, host, needs } = context
      const { link } = needs.state
      const { name } = needs.target
      const bad = badRelease(needs.state, name, needs.lock)
      const wanted = { name, bad: bad === undefined ? [] : [bad], lock: needs.lock, from: { link } }
      return flip(context, stageOptions(options, stage, host), wanted)
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
      const states = live === undefined ? {} : { [live]: 'live' as const }
      const { back, restarted } = await flipBack(context, settled, flipped, states)
      if (back && restarted) await inBatches(context, options, () => restartAfterGoingBack(context, settled))
    },
  })
  return { rollbackCheck, rollbackTarget, rollbackMigrations, reverting, lockBeforeRevert, revert }
}
