import { group, recipe, where, type Recipe } from '@deployfile/core'
import { buildTasks } from './build-tasks.ts'
import { decideTasks } from './decide-tasks.ts'
import { finishTasks } from './finish-tasks.ts'
import { lockTasks } from './lock/tasks.ts'
import { lookTasks } from './look-tasks.ts'
import { maintenanceTasks } from './maintenance-tasks.ts'
import { migrateTasks } from './migrate-tasks.ts'
import { checkOptions, stageOptions, type WhenReady } from './stage-options.ts'
import type { DeployElsewhereOptions, DeployOptions } from './options.ts'
import { publishTasks } from './publish-tasks.ts'
import { restartTasks } from './restart-tasks.ts'
import { rollbackTasks } from './rollback-tasks.ts'
import { pendingMigrationsTask } from './schema-tasks.ts'
import { sharedTasks } from './shared-tasks.ts'
import type { DeployTasks } from './tasks.ts'

/**
 * Capistrano 3's deployment, on its directories. Every name that Capistrano has is a task to hook onto; as values they are
 * `app.tasks.release`, `app.tasks.migrations` and so on.
 *
 * Steps are ordered by `optional` needs: an edge where both are planned, nothing where one is asked for alone. So `deploy:restart`
 * restarts and does nothing else, while the groups `deploy`, `deploy:migrations` and `deploy:rollback` need all that they contain.
 * @throws Problem `OPTION_INVALID` (usage); for options that depend on the stage, when a plan is made for it
 */
export function deploy<S extends string = string>(
  given: DeployOptions<S> | DeployElsewhereOptions<S>,
): Recipe<DeployTasks, S> {
  // Tables are checked against the stages by defineConfig's types, and again when a stage is chosen.
  const options = given as unknown as DeployOptions
  checkOptions(options)
  const on = options.on ?? where(() => true)
  // Always true. `when` is asked while planning, so what is wrong for a stage is said before any host is connected to.
  const when: WhenReady = ({ stage, host }) => {
    stageOptions(options, stage, host)
    return true
  }
  const starting = group('deploy:starting', {})
  const { lockHold, ...locks } = lockTasks(options, on, when, { starting })
  const build = buildTasks(options, on, when, { starting, lockHold })
  const pendingMigrations = pendingMigrationsTask(options, on, build)
  const migrating = migrateTasks(options, on, when, build)
  const { migrate, backup } = migrating
  const publishing = publishTasks(options, on, when, {
    ...{ ...build, lockHold, migrate, pendingMigrations },
  })
  const reverting = rollbackTasks(options, on, when, { lockHold })
  const { decide, published, reverted } = decideTasks(options, {
    ...{ ...publishing, ...reverting, migrate, backup },
  })
  const restarting = restartTasks(options, on, when, { ...build, ...reverting, decide, published, reverted })
  const { rollbackArchive, ...finishing } = finishTasks(options, on, when, {
    ...{ ...build, ...reverting, ...restarting, published, lockHold },
  })
  const { logRevision, finished } = finishing
  const start = { lockHold, ...build }
  const end = { ...publishing, decide, published, ...restarting, ...finishing }
  const tasks: DeployTasks = {
    ...{
      ...lookTasks(options, on, when),
      ...maintenanceTasks(options, on, when),
      ...sharedTasks(options, on, when),
    },
    ...{
      ...start,
      ...locks,
      pendingMigrations,
      ...migrating,
      ...reverting,
      ...end,
      reverted,
      rollbackArchive,
    },
    deploy: group('deploy', { ...start, pendingMigrations, ...end }, { desc: 'Deploy a new release' }),
    migrations: group(
      'deploy:migrations',
      { ...start, ...migrating, ...end },
      { desc: 'Deploy a new release and run pending migrations' },
    ),
    rollback: group(
      'deploy:rollback',
      {
        ...{ lockHold, ...reverting, decide, reverted, ...restarting },
        ...{ logRevision, finished, rollbackArchive },
      },
      { desc: 'Go back to the release before' },
    ),
    failed: group('deploy:failed', {}),
  }
  return recipe<typeof tasks & Readonly<Record<string, never>>, S>(tasks as never)
}
