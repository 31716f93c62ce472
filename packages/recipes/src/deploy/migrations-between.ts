import { filesOnlyIn } from './files-between.ts'
import type { OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'

/** Migrations that one release has and another lacks. */
export interface Unequal {
  readonly migrations: readonly string[]
}

export function migrationsOnlyIn(
  context: OnHost,
  { migrations = '' }: StageOptions,
  one: string,
  other: string,
): Promise<readonly string[]> {
  return filesOnlyIn(context, `${one}/${migrations}`, `${other}/${migrations}`)
}

export function countMigrations(migrations: readonly string[]): string {
  return `${String(migrations.length)} ${migrations.length === 1 ? 'migration' : 'migrations'}`
}
