import { Problem, task, type BaseContext } from '@deployfile/core'
import { readKnown, type FoundBackup, type ProductionDatabase, type Site } from '@deployfile/postgres'
import { isDry, type IdentityTasks, type ProtectedDatabase } from './identity.ts'
import { identitiesFile, keepIdentity } from './known.ts'
import type { Settings } from './settings.ts'

/** Every database that must never be a target: that of `from` and that of every protected stage. */
export interface ProductionNow {
  readonly databases: readonly ProtectedDatabase[]
}

/** Gathers who production is. Nothing is asked twice, and nothing before somebody wants to replace a database. */
export function productionTask(settings: Settings, identities: IdentityTasks) {
  return task('db:backup:production', {
    effect: 'read',
    needs: identities,
    preview: true,
    run({ needs }): ProductionNow {
      const seen = [...settings.databases.keys()].map((stage) => needs[stage])
      return { databases: seen.filter((one) => one !== undefined) }
    },
  })
}

export type ProductionTask = ReturnType<typeof productionTask>

/** For a backup of a protected stage: who it is of, is known from then on. */
export async function rememberProtected(
  settings: Settings,
  context: BaseContext,
  site: Site,
  identity: ProtectedDatabase['identity'],
): Promise<void> {
  const { stage } = context
  if (isDry(context) || !(stage.protected || stage.name === settings.from)) return
  await keepIdentity(context, site.connection.database, identity)
}

/**
 * Every database that is known to be production: what was read just now, else what was kept, and where a backup came from.
 * @throws Problem `PRODUCTION_UNKNOWN` (check) when one of them is not known by any of these
 */
export async function productionDatabases(
  settings: Settings,
  context: BaseContext,
  now: ProductionNow,
  backup?: FoundBackup,
): Promise<readonly ProductionDatabase[]> {
  const live = now.databases.flatMap(({ stage, database, identity }): ProductionDatabase[] =>
    identity ? [{ stage, database, identity }] : [],
  )
  const kept = (await readKnown(context.local, identitiesFile(context)))
    // A stage that is not protected any more is no production; another database of one that is (another application's) still is.
    .filter(({ stage }) => now.databases.some((one) => one.stage === stage))
    .filter(
      (entry) => !live.some(({ stage, database }) => stage === entry.stage && database === entry.database),
    )
    .map(({ stage, database, system, oid }): ProductionDatabase => ({
      stage,
      database,
      identity: { system, oid },
    }))
  const manifest = backup?.manifest
  const source: ProductionDatabase[] =
    manifest?.identity && manifest.stage === settings.from
      ? [{ stage: manifest.stage, database: manifest.database, identity: manifest.identity }]
      : []
  const known = [...live, ...kept, ...source]
  const unknown = now.databases.find(({ stage }) => !known.some((one) => one.stage === stage))
  if (unknown) throw notKnown(unknown)
  return known
}

function notKnown({ stage, database, unreachable }: ProtectedDatabase): Problem {
  const why = unreachable === undefined ? 'its server does not tell' : 'it cannot be reached'
  return new Problem(
    'check',
    'PRODUCTION_UNKNOWN',
    `it is not known which database is ${stage} (${database}): ${why}, and it was never seen from here; so any could be it`,
    {
      hint: `Run db:backup:create for ${stage} once, from here: its identity is kept in .deployfile/identities.json.`,
    },
  )
}
