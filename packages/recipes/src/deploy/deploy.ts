import {
  group,
  optional,
  Problem,
  recipe,
  task,
  where,
  type Host,
  type HostSelector,
  type OnPick,
  type Recipe,
} from '@deployfile/core'
import { buildTasks } from './build-tasks.ts'
import { migrate } from './migrate.ts'
import { checkOptions, stageOptions, type DeployOptions, type WhenReady } from './options.ts'
import { finishTasks, publishTasks } from './publish-tasks.ts'
import { rollbackTasks } from './rollback-tasks.ts'
import type { DeployTasks, Migration, MigrateTask, TasksBeforeMigrate } from './tasks.ts'

/**
 * Capistrano 3's deployment, on its directories. Every name that Capistrano has is a task to hook onto; as values they are
 * `app.tasks.release`, `app.tasks.migrations` and so on.
 *
 * Steps are ordered by `optional` needs: an edge where both are planned, nothing where one is asked for alone. So `deploy:restart`
 * restarts and does nothing else, while the groups `deploy`, `deploy:migrations` and `deploy:rollback` need all that they contain.
 * @throws Problem `OPTION_INVALID` (usage); for options that depend on the stage, when a plan is made for it
 */
export function deploy<S extends string = string>(given: DeployOptions<S>): Recipe<DeployTasks, S> {
  // Tables are checked against the stages by defineConfig's types, and again when a stage is chosen.
  const options = given as unknown as DeployOptions
  checkOptions(options)
  const on = options.on ?? where(() => true)
  // Always true. `when` is asked while planning, so what is wrong for a stage is said before any host is connected to.
  const when: WhenReady = ({ stage, host }) => {
    stageOptions(options, stage, host)
    return true
  }
  const build = buildTasks(options, on, when)
  const migrateTask = makeMigrate(options, when, build)
  const publish = publishTasks(options, on, when, { ...build, migrate: migrateTask })
  const rollback = rollbackTasks(options, on, when)
  const finish = finishTasks(options, on, when, { ...build, ...publish, ...rollback })
  const contained = { ...build, ...publish, ...finish }
  const { restart, logRevision, finished } = finish
  const tasks = {
    ...{ ...contained, ...rollback, migrate: migrateTask },
    deploy: group('deploy', contained, { desc: 'Deploy a new release' }),
    migrations: group(
      'deploy:migrations',
      { ...contained, migrate: migrateTask },
      { desc: 'Deploy a new release and run pending migrations' },
    ),
    rollback: group(
      'deploy:rollback',
      { ...rollback, restart, logRevision, finished },
      { desc: 'Go back to the release before' },
    ),
  }
  return recipe<typeof tasks, S>(tasks)
}

/** `deploy:migrate`: the command of the options, the task that the options make, or one that has nothing to do. */
function makeMigrate(options: DeployOptions, when: WhenReady, build: TasksBeforeMigrate): MigrateTask {
  const option = options.migrate
  if (typeof option === 'function') return afterUpdated(option(build), build)
  return task('deploy:migrate', {
    desc: 'Run pending migrations',
    on: options.migrateOn ?? databaseHost(options.on, option !== undefined),
    onNoHost: option === undefined ? 'skip' : 'error',
    needs: { release: optional(build.release), updated: optional(build.updated) },
    when,
    preview: true,
    async run(context): Promise<Migration | undefined> {
      const { stage, host, needs, skip } = context
      const settled = stageOptions(options, stage, host)
      if (settled.migrate === undefined) {
        skip(`no 'migrate' option is given to deploy()`)
        return
      }
      return migrate(context, settled, settled.migrate, needs.release)
    },
  })
}

type Primary = OnPick & { readonly pick: 'primary' }

/**
 * The primary database host among those that get the application. A named role must exist in the config and on the stage; where
 * nothing migrates, a project may do without it, so then it is only a condition.
 */
function databaseHost(on: HostSelector | undefined, needed: boolean): Primary {
  if (on === undefined && needed) return { role: 'db', pick: 'primary' }
  const role = where((host) => host.roles.includes('db') && (on === undefined || isChosen(on, host)))
  return { role, pick: 'primary' }
}

function isChosen(on: HostSelector, host: Host): boolean {
  if (typeof on === 'string') return host.roles.includes(on)
  return 'matches' in on ? on.matches(host) : on.some((role) => host.roles.includes(role))
}

/** A task of the user's own takes the place of ours, and comes after `deploy:updated` as ours does. */
function afterUpdated(made: MigrateTask, { updated }: TasksBeforeMigrate): MigrateTask {
  if (!isMigrateTask(made)) {
    throw new Problem(
      'usage',
      'OPTION_INVALID',
      `the option 'migrate' of deploy() must make a task named 'deploy:migrate'`,
      {
        key: 'migrate',
        hint: `migrate: (tasks) => task('deploy:migrate', { on: { role: 'db', pick: 'primary' }, needs: { release: tasks.release }, … })`,
      },
    )
  }
  const brand = made['~task']
  const needs = { ...brand.spec.needs, 'deploy:updated': optional(updated) }
  return { ...made, '~task': { ...brand, spec: { ...brand.spec, needs } } }
}

// Types are gone at run time, and a config may be plain JavaScript.
function isMigrateTask(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    '~task' in value &&
    'name' in value &&
    value.name === 'deploy:migrate'
  )
}
