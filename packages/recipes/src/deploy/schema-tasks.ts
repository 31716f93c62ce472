import { optional, Problem, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import { listNames } from './files-between.ts'
import { countMigrations, migrationsOnlyIn, UNKNOWN, type Unequal } from './migrations-between.ts'
import { locate } from './layout.ts'
import { stageOptions, type Planning } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import type { DeployTasks } from './tasks.ts'
import { typed } from './typed.ts'

/** On a deploy that does not migrate: are there migrations that the live release has not? */
export function pendingMigrationsTask(
  options: DeployOptions,
  on: HostSelector,
  { release, updated }: Pick<DeployTasks, 'release' | 'updated'>,
): DeployTasks['pendingMigrations'] {
  const task = taskAs(options)
  return task('deploy:pending_migrations', {
    desc: 'Look for migrations that a plain deploy does not run',
    on: { role: on, pick: 'primary' },
    effect: 'read',
    needs: { release: optional(release), updated: optional(updated) },
    when: whenCompared(options),
    async run(context): Promise<Unequal> {
      const { stage, host, needs, remote, log, confirm } = context
      const settled = stageOptions(options, stage, host)
      const { current } = await locate(remote, settled.deployTo)
      if (!needs.release?.previous) return { migrations: [] }
      const unequal = await migrationsOnlyIn(context, settled, needs.release.path, current)
      const { migrations, unknown } = unequal
      if (unknown === undefined && migrations.length === 0) return unequal
      const found =
        unknown === undefined
          ? `the release has ${countMigrations(migrations)} that the live one has not, and this deploy does not run ${migrations.length === 1 ? 'it' : 'them'}:\n${listNames(migrations)}`
          : `it cannot be told whether the release has migrations that the live one has not: ${unknown}`
      const hint = `To run them: ${typed(context, 'deploy:migrations')}`
      if (settled.pendingMigrations === 'refuse') {
        const [code, where] = unknown === undefined ? ['MIGRATIONS_PENDING', `${host.name}: `] : [UNKNOWN, '']
        throw new Problem('task', code, where + found, { host: host.name, hint })
      }
      if (settled.pendingMigrations === 'ask')
        await confirm({ message: `On ${stage.name} ${found}\n${hint}`, answer: stage.name, mayBeYes: true })
      else for (const line of `${found}\n${hint}`.split('\n')) log(line)
      return unequal
    },
    preview: ({ log }): Unequal => {
      log('would look for migrations that the release has and the live one has not')
      return { migrations: [] }
    },
  })
}

/** Before a rollback: are there migrations that the older code does not know? Asks only then. */
export function rollbackMigrationsTask(
  options: DeployOptions,
  on: HostSelector,
  { rollbackCheck, rollbackTarget }: Pick<DeployTasks, 'rollbackCheck' | 'rollbackTarget'>,
): DeployTasks['rollbackMigrations'] {
  const task = taskAs(options)
  return task('deploy:rollback:migrations', {
    desc: 'Show the migrations that the older code lacks, and ask',
    on: { role: on, pick: 'primary' },
    effect: 'read',
    needs: { state: optional(rollbackCheck), target: optional(rollbackTarget) },
    when: whenCompared(options),
    async run(context): Promise<Unequal> {
      const { stage, host, needs, remote, log, confirm } = context
      const settled = stageOptions(options, stage, host)
      const { releases } = await locate(remote, settled.deployTo)
      const { target, state } = needs
      if (!target || state?.live === undefined) return { migrations: [] }
      const path = (name: string): string => `${releases}/${name}`
      const unequal = await migrationsOnlyIn(context, settled, path(state.live), path(target.name))
      const { migrations, unknown } = unequal
      if (unknown === undefined && migrations.length === 0) {
        log('the older code knows every migration')
        return unequal
      }
      const found =
        unknown === undefined
          ? `${target.name} lacks ${countMigrations(migrations)} of ${state.live}, which the database keeps:\n${listNames(migrations)}`
          : `It cannot be told whether ${target.name} lacks migrations that the database has: ${unknown}`
      await confirm({
        message: `${found}\nGo back all the same if the older code works with that database.`,
        answer: stage.name,
        mayBeYes: true,
      })
      return unequal
    },
    preview: ({ log }): Unequal => {
      log('would ask when the older code lacks migrations')
      return { migrations: [] }
    },
  })
}

function whenCompared(options: DeployOptions): (context: Planning) => true | string {
  return ({ stage, host }) =>
    stageOptions(options, stage, host).migrations !== undefined ||
    `no 'migrations' option is given to deploy()`
}
