import { Problem } from '@deployfile/core'
import { choosePrograms } from '../client/programs.ts'
import { readIdentity } from '../identity/identity.ts'
import { hostOf, type Site } from '../site.ts'
import { openServer, type Server } from '../sql/query.ts'
import { reopenClosed } from './closed.ts'
import type { TargetFacts } from './guard.ts'
import { readLive, type LiveDatabase } from './live.ts'

/** A database that may be restored onto, seen from the side: statements run in a maintenance database of its server. */
export interface Target {
  readonly server: Server
  readonly facts: TargetFacts
  /** Undefined when the database does not exist yet. */
  readonly live: LiveDatabase | undefined
}

/** Databases that every server has, to stand in while another one is replaced. */
export const MAINTENANCE: readonly string[] = ['postgres', 'template1']

/**
 * Connects beside the target, heals what a killed restore left closed there, and reads what the target is.
 * @throws Problem `PG_CLIENT_MISSING`, `PG_CLIENT_TOO_OLD`, `DATABASE_UNREACHABLE`, `DATABASE_CLOSED` (check), `RESTORE_TARGET` (usage)
 */
export async function openTarget(site: Site, stage: string): Promise<Target> {
  const { database } = site.connection
  const host = hostOf(site)
  if ([...MAINTENANCE, 'template0'].includes(database)) {
    throw new Problem(
      'usage',
      'RESTORE_TARGET',
      `the database ${database} of every server is never replaced`,
      {
        hint: `Give the stage ${stage} a database of its own in postgres({ databases }).`,
      },
    )
  }
  const server = await openServer(site, { readOnly: false, databases: MAINTENANCE })
  const why = `the server of ${database} is PostgreSQL ${server.version}`
  choosePrograms(server.programs, server.major, site.shell.host.name, why)
  const identity = await readIdentity(server, database)
  if (identity) await reopenClosed(server, identity.system)
  const live = await readLive(server, database)
  if (live && !live.open) {
    throw new Problem(
      'check',
      'DATABASE_CLOSED',
      `the database ${database} on ${host.name} is closed to connections, and not by us`,
      {
        host: host.name,
        hint: `When that is a mistake: psql postgres -c 'ALTER DATABASE "${database}" WITH ALLOW_CONNECTIONS true'`,
      },
    )
  }
  const facts = { database, stage, host: host.name, transport: host.transport, identity }
  return { server, facts, live }
}
