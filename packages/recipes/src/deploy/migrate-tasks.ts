import {
  optional,
  Problem,
  where,
  type AnyTask,
  type BaseContext,
  type Host,
  type HostSelector,
  type Needs,
  type OnPick,
} from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import { tellBackup } from './backup-made.ts'
import { lockFence } from './lock/tasks.ts'
import { migrate } from './migrate.ts'
import { stageOptions, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import type { BackupTask, DeployTasks } from './tasks.ts'
import type { Migration, MigrateTask, TasksBeforeMigrate } from './before-migrate.ts'

export type MigrateTasks = Pick<DeployTasks, 'backup' | 'lockBeforeMigrate' | 'migrate'>

/** What comes between `deploy:updated` and `deploy:publishing` when a deploy migrates. */
export function migrateTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  build: TasksBeforeMigrate,
): MigrateTasks {
  const task = taskAs(options)
  const { updated } = build
  const backup = makeBackup(options, build)
  const lockBeforeMigrate = lockFence('deploy:lock:before_migrate', options, on, {
    updated: optional(updated),
    backup: optional(backup),
  })
  const before = {
    updated: optional(updated),
    allowed: optional(lockBeforeMigrate),
    backup: optional(backup),
  }
  const option = options.migrate
  if (typeof option === 'function') {
    return { backup, lockBeforeMigrate, migrate: afterThese(option(build), before) }
  }
  const migrateTask: MigrateTask = task('deploy:migrate', {
    desc: 'Run pending migrations',
    on: options.migrateOn ?? databaseHost(options.on, option !== undefined),
    onNoHost: option === undefined ? 'skip' : 'error',
    // What a killed migration has done nobody knows.
    onResume: 'ask',
    needs: { release: optional(build.release), ...before },
    when,
    preview: true,
    async run(context): Promise<Migration | undefined> {
      const { stage, host, needs, skip } = context
      const settled = stageOptions(options, stage, host)
      if (settled.migrate === undefined) {
        skip(`no 'migrate' option is given to deploy()`)
        return
      }
      return migrate(context, settled, settled.migrate, needs.release, needs.backup)
    },
    finally: (context) => tellBackup(context, context.needs.backup),
  })
  return { backup, lockBeforeMigrate, migrate: migrateTask }
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

/**
 * `deploy:backup`: the body of the task that the options give, under a name of its own, so that it comes when the release is built and
 * right before migrations, whatever else runs that task.
 */
function makeBackup(options: DeployOptions, { updated }: TasksBeforeMigrate): BackupTask {
  const task = taskAs(options)
  const given: AnyTask | undefined = options.backup
  if (given === undefined) {
    return task('deploy:backup', {
      desc: 'Back up the database before migrations',
      effect: 'read',
      when: () => `no 'backup' option is given to deploy()`,
      preview: true,
      run: () => undefined,
    }) as unknown as BackupTask
  }
  const { spec } = given['~task']
  const needs = { ...spec.needs, 'deploy:updated': optional(updated) }
  const made = { ...spec, desc: 'Back up the database before migrations', aliases: [], needs }
  return renamed(given, 'deploy:backup', made) as BackupTask
}

function renamed(given: AnyTask, name: string, spec: AnyTask['~task']['spec']): AnyTask {
  return { ...given, name, desc: spec.desc, '~task': { ...given['~task'], spec } }
}

/** A task of the user's own takes the place of ours, and comes after the same as ours does. */
function afterThese(made: MigrateTask, before: Needs): MigrateTask {
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
  const own = Object.entries(before).map(([key, need]) => [`deploy:${key}`, need] as const)
  const { run, finally: last } = brand.spec
  const spec = {
    ...brand.spec,
    needs: { ...brand.spec.needs, ...Object.fromEntries(own) },
    ...(run && { run: (context: SkipContext) => answered(run, context) }),
    async finally(context: EndContext) {
      tellBackup(context, context.needs['deploy:backup'])
      await last?.(context)
    },
  }
  return { ...made, '~task': { ...brand, spec } }
}

type EndContext = BaseContext & { readonly needs: Readonly<Record<string, unknown>> }

interface SkipContext {
  readonly skip: (...args: readonly unknown[]) => unknown
}

/** That migrations ran must be known from the result, also of a body that returns nothing: only `skip` says that they did not. */
async function answered(run: (context: SkipContext) => unknown, context: SkipContext): Promise<unknown> {
  const told: unknown[] = []
  const skip = (...args: readonly unknown[]): unknown => {
    told.push(args)
    return context.skip(...args)
  }
  // Descriptors and not a spread: a shell is opened when it is first read.
  const own = Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(context), skip: { value: skip, enumerable: true } },
  ) as SkipContext
  const result = await run(own)
  return result ?? (told.length > 0 ? undefined : {})
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
