import { Problem } from '@deployfile/core'
import { hostOf, type Site } from '../site.ts'
import { query, type Server } from '../sql/query.ts'
import { countTables } from './size.ts'

/** Tables of the user, those of extensions not counted: their definition is not in an archive. */
export const USER_TABLES = `
SELECT json_build_object('tables', count(*), 'plain', count(*) FILTER (WHERE c.relkind = 'r'))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`

/** What the database of a server holds: its tables with rows of their own, and bytes with indexes. */
export async function measure(server: Server): Promise<{ plain: number; bytes: number }> {
  const [tables] = await query<{ plain: number }>(server, USER_TABLES.replaceAll('\n', ' '))
  const [size] = await query<{ bytes: number }>(
    server,
    "SELECT json_build_object('bytes', pg_catalog.pg_database_size(current_database()))",
  )
  return { plain: tables?.plain ?? 0, bytes: size?.bytes ?? 0 }
}

/**
 * Refuses an archive that holds nothing of a database that has something.
 * @throws Problem `BACKUP_EMPTY` (task)
 */
export function checkContents(site: Site, userTables: number, withData: number): void {
  const { database } = site.connection
  if (withData > 0) return
  if (userTables === 0) {
    site.log(`warning: ${database} has no tables, so this backup holds no data`)
    return
  }
  const message = `the archive of ${database} holds no data, though the database has ${countTables(userTables)}`
  throw new Problem('task', 'BACKUP_EMPTY', message, {
    host: hostOf(site).name,
    hint: 'Check that the user of this URL may read the tables.',
  })
}
