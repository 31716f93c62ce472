import { Problem } from '@deployfile/core'
import { literal } from '../sql/quote.ts'
import { query, type Server } from '../sql/query.ts'
import type { LiveDatabase } from './live.ts'

/** How a database is replaced. */
export type Strategy = 'swap' | 'in-place'

/** What the login of a database may do on its server. */
export interface Rights {
  readonly user: string
  readonly superuser: boolean
  readonly createDatabases: boolean
  /** It owns the database, or is a member of the role that does. */
  readonly owner: boolean
}

export async function readRights(server: Server, live: LiveDatabase | undefined): Promise<Rights> {
  const owner = live ? `pg_catalog.pg_has_role(${literal(live.owner)}, 'MEMBER')` : 'true'
  const [rights] = await query<Rights>(
    server,
    "SELECT json_build_object('user', rolname, 'superuser', rolsuper, 'createDatabases', rolcreatedb OR rolsuper, " +
      `'owner', ${owner}) FROM pg_catalog.pg_roles WHERE rolname = current_user`,
  )
  return rights ?? { user: '', superuser: false, createDatabases: false, owner: false }
}

/**
 * A fresh database beside the live one wherever the login may make one; else everything in one transaction of the live one.
 * @throws Problem `RESTORE_RIGHTS` (check)
 */
export function chooseStrategy(
  wanted: 'auto' | Strategy,
  rights: Rights,
  facts: { readonly database: string; readonly host: string; readonly owner: string | undefined },
): Strategy {
  const { user } = rights
  if (!rights.owner) {
    throw refuse(
      facts.host,
      `${user} does not own the database ${facts.database}, which belongs to ${facts.owner ?? 'nobody'}`,
      `Give the owner's name in the URL, or make it a member: GRANT "${facts.owner ?? ''}" TO "${user}".`,
    )
  }
  if (wanted === 'in-place') return 'in-place'
  if (rights.createDatabases) return 'swap'
  const hint = `Let it, once, as a superuser: ALTER ROLE "${user}" CREATEDB.`
  if (facts.owner === undefined)
    throw refuse(facts.host, `there is no database ${facts.database}, and ${user} may not make one`, hint)
  if (wanted === 'swap')
    throw refuse(facts.host, `${user} may not make the database that is to take the live one's place`, hint)
  return 'in-place'
}

function refuse(host: string, message: string, hint: string): Problem {
  return new Problem('check', 'RESTORE_RIGHTS', message, { host, hint: `${hint} Nothing was changed.` })
}
