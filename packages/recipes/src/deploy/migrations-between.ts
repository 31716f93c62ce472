import { isProblem } from '@deployfile/core'
import { filesOnlyIn } from './files-between.ts'
import type { OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'
import { runUserCommand } from './user-command.ts'

/** Migrations that one release has and another lacks. */
export interface Unequal {
  readonly migrations: readonly string[]
  /** Why they cannot be told: the command that is to tell them failed. */
  readonly unknown?: string
}

/** The migrations of the release in the folder `one` that are not in that in the folder `other`. */
export async function migrationsOnlyIn(
  context: OnHost,
  { migrations = '' }: StageOptions,
  one: string,
  other: string,
): Promise<Unequal> {
  if (typeof migrations === 'string')
    return { migrations: await filesOnlyIn(context, `${one}/${migrations}`, `${other}/${migrations}`) }
  try {
    const here = await listed(context, one, migrations.command)
    const there = new Set(await listed(context, other, migrations.command))
    return { migrations: here.filter((name) => !there.has(name)) }
  } catch (error) {
    // A release that is to be left may be too broken to tell; that must not keep anybody from leaving it.
    if (!isProblem(error) || error.code !== UNKNOWN) throw error
    return { migrations: [], unknown: error.message }
  }
}

export const UNKNOWN = 'MIGRATIONS_UNKNOWN'

async function listed(context: OnHost, release: string, command: string): Promise<readonly string[]> {
  const purpose = { what: 'listing the migrations', code: UNKNOWN, hint: `It ran in ${release}.` }
  const { stdout } = await runUserCommand(context, release, { command, reads: true, ...purpose })
  return [...new Set(stdout.split('\n').map((line) => line.trim()))].filter((line) => line !== '')
}

export function countMigrations(migrations: readonly string[]): string {
  return `${String(migrations.length)} ${migrations.length === 1 ? 'migration' : 'migrations'}`
}
