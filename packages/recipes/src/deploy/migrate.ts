import { isProblem, Problem } from '@deployfile/core'
import { locate, type OnHost } from './layout.ts'
import type { StageOptions } from './options.ts'
import type { Migration, Release } from './tasks.ts'

/**
 * Runs the `migrate` command in the release, before the flip; alone, in `current`.
 * @throws Problem (task) `MIGRATION_FAILED` with the end of what the command said
 */
export async function migrate(
  { remote, host, log }: OnHost,
  options: StageOptions,
  command: string,
  release: Release | undefined,
): Promise<Migration> {
  const cwd = release?.path ?? (await locate(remote, options.deployTo)).current
  log(`migrating in ${cwd}`)
  try {
    await runCommand({ remote }, cwd, command)
    return {}
  } catch (error) {
    if (!isProblem(error) || error.code !== 'COMMAND_FAILED') throw error
    const why = error.details.command?.tail.findLast((line) => line.trim() !== '')
    throw new Problem(
      'task',
      'MIGRATION_FAILED',
      `${host.name}: the migration failed${why ? `: ${why}` : ''}`,
      {
        host: host.name,
        hint: release
          ? `'current' was not touched. Migrations that ran before this one stay applied.`
          : `It ran in ${cwd}. Migrations that ran before this one stay applied.`,
        command: error.details.command,
        cause: error,
      },
    )
  }
}

/**
 * A command that the user wrote, in a folder: by an argument, so that it has its standard input to itself, and without `set -u`, which
 * version managers' scripts do not survive. It stops at the first of several commands that fails.
 */
export async function runCommand(
  { remote }: Pick<OnHost, 'remote'>,
  cwd: string,
  command: string,
): Promise<void> {
  await remote.run('sh', ['-e', '-c', command], { cwd })
}
