import { join } from 'node:path'
import { isProblem, task, toRecord, type BaseContext, type ProblemRecord, type Stage } from '@deployfile/core'
import {
  openServer,
  readIdentity,
  readKnown,
  remember,
  type DatabaseIdentity,
  type FoundBackup,
  type Identity,
  type ProductionDatabase,
  type Site,
} from '@deployfile/postgres'
import type { Settings } from './options.ts'
import { siteOf } from './site.ts'

/** Who production is, as far as it could be read just now. */
export interface ProductionNow {
  /** Null when it could not be reached or does not tell; what was kept of it counts then. */
  readonly identity: DatabaseIdentity | null
  /** Why it could not be reached. */
  readonly unreachable?: ProblemRecord
}

/** Reads who production is. Fails for nothing but an interrupt: a laptop on a train may restore a file, on what is known. */
export function productionTask(settings: Settings) {
  return task('db:backup:production', {
    on: { stage: settings.from, role: 'db', pick: 'primary' },
    effect: 'read',
    preview: true,
    async run(context): Promise<ProductionNow> {
      try {
        const site = await siteOf(settings, context)
        const { database } = site.connection
        const server = await openServer(site, { readOnly: true, databases: [database] })
        const identity = whole(await readIdentity(server, database))
        await keep(context, database, identity)
        return { identity }
      } catch (error) {
        if (context.signal.aborted || !isProblem(error)) throw error
        context.log(`${context.stage.name} could not be asked who it is: ${error.message}`)
        const { stack: _, ...unreachable } = toRecord(error)
        return { identity: null, unreachable }
      }
    },
  })
}

/** Remembers who a database is that must never be a target. */
export async function rememberProtected(
  settings: Settings,
  context: BaseContext,
  site: Site,
  identity: DatabaseIdentity | null,
): Promise<void> {
  if (isProtected(settings, context.stage)) await keep(context, site.connection.database, identity)
}

/** Every database that is known to be production: what was read just now, else what was kept, and where a backup came from. */
export async function productionDatabases(
  settings: Settings,
  context: BaseContext,
  now: ProductionNow,
  backup?: FoundBackup,
): Promise<readonly ProductionDatabase[]> {
  const { from } = settings
  const known: ProductionDatabase[] = (await readKnown(context.local, identitiesFile(context)))
    .filter((entry) => now.identity === null || entry.stage !== from)
    .map(({ stage, database, system, oid }) => ({ stage, database, identity: { system, oid } }))
  const database = settings.databases.get(from)?.connection.database ?? ''
  if (now.identity) known.push({ stage: from, database, identity: now.identity })
  const manifest = backup?.manifest
  if (manifest?.identity && manifest.stage === from) {
    known.push({ stage: from, database: manifest.database, identity: manifest.identity })
  }
  return known
}

function isProtected(settings: Settings, stage: Stage): boolean {
  return stage.protected || stage.name === settings.from
}

async function keep(
  context: BaseContext,
  database: string,
  identity: DatabaseIdentity | null,
): Promise<void> {
  if (!identity || context.run.dryRun === true) return
  await remember(context.local, identitiesFile(context), { stage: context.stage.name, database, identity })
}

function identitiesFile({ run }: BaseContext): string {
  return join(run.root, '.deployfile', 'identities.json')
}

function whole(identity: Identity | null): DatabaseIdentity | null {
  return identity === null || identity.oid === null ? null : { system: identity.system, oid: identity.oid }
}
