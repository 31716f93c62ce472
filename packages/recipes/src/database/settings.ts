import { Problem, resolveOption, type Option, type Secret, type Stage } from '@deployfile/core'
import type { Connection, DumpChoices, Keep, Password } from '@deployfile/postgres'
import type { RestoreSpec, Store } from './options.ts'

/** A database of the options, its URL read. */
export interface Database {
  readonly connection: Connection
  readonly password: Password | Secret | undefined
  /** Whether the client programs run here and not on the host. */
  readonly tunnel: boolean
}

/** The options of `postgres()`, checked. */
export interface Settings {
  readonly databases: ReadonlyMap<string, Database>
  readonly from: string
  readonly application: string | undefined
  readonly backups: string
  readonly dump: Option<DumpChoices>
  readonly restore: Option<RestoreSpec>
  readonly keep: Keep | undefined
  readonly recover: readonly string[]
  readonly store: Store | undefined
}

/** @throws Problem `DATABASE_NO_STAGE` (usage) */
export function databaseOf(settings: Settings, stage: Stage): Database {
  const database = settings.databases.get(stage.name)
  if (database) return database
  throw new Problem(
    'usage',
    'DATABASE_NO_STAGE',
    `the stage '${stage.name}' has no database in postgres({ databases })`,
    {
      hint: `Databases are known for ${[...settings.databases.keys()].join(', ')}.`,
    },
  )
}

/** For `when` of tasks that only read: a stage without a database is said before anything is connected. */
export function hasDatabase(settings: Settings): (context: { readonly stage: Stage }) => true {
  return ({ stage }) => {
    databaseOf(settings, stage)
    return true
  }
}

export function dumpChoices(settings: Settings, stage: Stage): DumpChoices {
  return resolveOption('dump', settings.dump, stage)
}

export function restoreSpec(settings: Settings, stage: Stage): RestoreSpec {
  return resolveOption('restore', settings.restore, stage)
}
