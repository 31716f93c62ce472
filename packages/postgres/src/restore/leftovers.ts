import { temporaryKind } from '../backup/name.ts'
import { identifier, literal } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'
import type { Site } from '../site.ts'
import { endSessions } from './swap.ts'

/** Drops a database of ours, whoever is in it. Fine when there is none. */
export async function dropDatabase(server: Server, name: string): Promise<void> {
  const [row] = await query<{ there: boolean }>(
    server,
    `SELECT json_build_object('there', EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = ${literal(name)}))`,
  )
  if (row?.there !== true) return
  const quoted = identifier(name)
  await execute(
    server,
    // A template can be dropped by nobody as long as it is one.
    `ALTER DATABASE ${quoted} WITH ALLOW_CONNECTIONS false IS_TEMPLATE false;\n${endSessions(name)}\nDROP DATABASE IF EXISTS ${quoted};`,
  )
}

/** For a database whose fate is no reason to call a restore failed, or to hide why it failed. */
export async function dropQuietly(server: Server, name: string, what: string): Promise<void> {
  try {
    await dropDatabase(server, name)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    server.site.log(`warning: the database ${name} stays (${what}): ${why}`)
  }
}

/**
 * Drops what killed restores of this database left half full. Only whoever has the lock of the database may call it: then no restore is
 * at work in them, and who is still connected is a worker that outlived its own.
 */
export async function dropLeftovers(server: Server, database: string): Promise<void> {
  for (const name of await temporaryDatabases(server, database, 'restore')) {
    await dropDatabase(server, name)
    server.site.log(`dropped ${name}, which an interrupted restore had left`)
  }
}

// A copy that was sent for a restore is a whole backup: one of yesterday is no longer waited for.
const REMOVE = `
find "$1" -maxdepth 1 -type f -name "$2" -exec rm -f {} +
find "$1" -maxdepth 1 -type d -name 'upload_*' -mmin +1440 -exec rm -rf {} +
`

/** Removes the files that killed restores left in the folder of backups; for whoever has the lock of the database. */
export async function removeLeftovers({ shell, folder }: Site, lists: string): Promise<void> {
  await shell.script(REMOVE, [folder, lists])
}

/** Names of our own pattern for this database, newest first: the time is part of them. */
export async function temporaryDatabases(
  server: Server,
  database: string,
  kind: 'restore' | 'old',
): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    server,
    "SELECT json_build_object('name', datname) FROM pg_catalog.pg_database",
  )
  return rows
    .map(({ name }) => name)
    .filter((name) => temporaryKind(name, database) === kind)
    .sort((a, b) => (a < b ? 1 : -1))
}
