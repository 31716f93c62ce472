import { isTemporaryOf } from '../backup/name.ts'
import { identifier } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'
import { endSessions } from './swap.ts'

/** Drops a database of ours, whoever is in it. Fine when there is none. */
export async function dropDatabase(server: Server, name: string): Promise<void> {
  const names = await databaseNames(server)
  if (!names.some((entry) => entry.name === name)) return
  const quoted = identifier(name)
  await execute(
    server,
    `ALTER DATABASE ${quoted} WITH ALLOW_CONNECTIONS false;\n${endSessions(name)}\nDROP DATABASE IF EXISTS ${quoted};`,
  )
}

/** Drops what killed restores of this database left: only names of our own pattern, and only while nobody uses them. */
export async function dropLeftovers(server: Server, database: string): Promise<void> {
  for (const { name, used } of await databaseNames(server)) {
    if (used || !isTemporaryOf(name, database)) continue
    await execute(server, `DROP DATABASE IF EXISTS ${identifier(name)};`)
    server.site.log(`dropped ${name}, which an interrupted restore had left`)
  }
}

async function databaseNames(server: Server): Promise<{ name: string; used: boolean }[]> {
  return query(
    server,
    "SELECT json_build_object('name', d.datname, 'used', EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)) " +
      'FROM pg_catalog.pg_database d WHERE NOT d.datistemplate',
  )
}
