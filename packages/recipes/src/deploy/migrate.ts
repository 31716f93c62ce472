import { nameBackup } from './backup-made.ts'
import { locate, type OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'
import type { Migration, Release } from './before-migrate.ts'
import { runUserCommand } from './user-command.ts'

/**
 * Runs the `migrate` command in the release, before the flip; alone, in `current`.
 * @throws Problem (task) `MIGRATION_FAILED` with the end of what the command said
 */
export async function migrate(
  context: OnHost,
  options: StageOptions,
  command: string,
  release: Release | undefined,
  backup: unknown,
): Promise<Migration> {
  const cwd = release?.path ?? (await locate(context.remote, options.deployTo)).current
  const named = nameBackup(backup)
  const spared = release ? `'current' was not touched.` : `It ran in ${cwd}.`
  await runUserCommand(context, cwd, {
    ...{ command, what: 'the migration', code: 'MIGRATION_FAILED' },
    hint: `${spared} Migrations that ran before the one that failed stay applied.${named === '' ? '' : ` ${named}`}`,
  })
  return {}
}
