import { identifier } from '../sql/quote.ts'
import { execute, type Server } from '../sql/query.ts'
import { dropDatabase, dropQuietly, temporaryDatabases } from './leftovers.ts'

/**
 * What becomes of the database that a restore put aside: the newest `keep` stay, open, under their names; all others are dropped. Gives
 * the name of the one that was live until now, when it stays. By then the restore is done, so nothing that fails here is thrown: it is
 * said what stays, and what to do about it.
 */
export async function keepOld(
  server: Server,
  database: string,
  old: string,
  keep: number,
): Promise<string | undefined> {
  const { site } = server
  try {
    const names = await temporaryDatabases(server, database, 'old')
    const kept = names.slice(0, keep)
    // What is older than what was live just now is nothing that this restore has to answer for.
    for (const name of names.slice(keep))
      if (name !== old) await dropQuietly(server, name, 'it was live once; the next restore drops it')
    if (!kept.includes(old)) {
      await dropDatabase(server, old)
      return undefined
    }
    // Also one that a killed restore put aside and had no time to open.
    for (const name of kept)
      await execute(
        server,
        `ALTER DATABASE ${identifier(name)} WITH ALLOW_CONNECTIONS true IS_TEMPLATE false;`,
      )
    site.log(`what was live before stays as ${old}; the next restore drops it when it is one too many`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const byHand = keep > 0 ? '' : `; or drop it yourself: DROP DATABASE ${identifier(old)}`
    site.log(
      `warning: ${database} is restored, but what was live before stays on the server as ${old}, closed to connections: ${why}. ` +
        `The next restore puts that right${byHand}`,
    )
  }
  return old
}
