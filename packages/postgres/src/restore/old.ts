import { identifier } from '../sql/quote.ts'
import { execute, type Server } from '../sql/query.ts'
import { dropQuietly, temporaryDatabases } from './leftovers.ts'

/**
 * What becomes of the database that a restore put aside: the newest `keep` stay, open, under their names; all others are dropped. Gives
 * the name of the one that was live until now, when it stays.
 */
export async function keepOld(
  server: Server,
  database: string,
  old: string,
  keep: number,
): Promise<string | undefined> {
  const names = await temporaryDatabases(server, database, 'old')
  for (const name of names.slice(keep)) await dropQuietly(server, name, 'it is what was live before')
  if (!names.slice(0, keep).includes(old)) return undefined
  await execute(server, `ALTER DATABASE ${identifier(old)} WITH ALLOW_CONNECTIONS true;`)
  server.site.log(`what was live before stays as ${old}; the next restore drops it when it is one too many`)
  return old
}
