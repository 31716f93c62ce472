import { writeList } from '../backup/contents.ts'
import { restoreGrants } from '../client/grants.ts'
import { restoreInto } from '../client/restore.ts'
import { query, type Server } from '../sql/query.ts'
import type { CheckedArchive } from './check.ts'
import { finish } from './finish.ts'
import type { RestoreOrder } from './order.ts'
import { extensionsOf } from './preflight.ts'
import type { Target } from './target.ts'
import { watchRestore } from './watch.ts'

/**
 * Where the login may make no database: everything in one transaction of the live one. It fails whole or not at all, but it needs the
 * tables for itself while it runs, cannot be done by several at once, and leaves tables that the archive does not have.
 */
export async function restoreInPlace(
  { server, live, facts }: Target,
  order: RestoreOrder,
  { programs, list, own, tells }: CheckedArchive & { readonly list: string; readonly own: boolean },
): Promise<void> {
  const { site } = server
  const { database } = site.connection
  const owner = live?.owner ?? ''
  const before = await tableNames(server, database)
  const entries = await writeList(
    site.shell,
    programs,
    order.backup.file,
    list,
    await extensionsOf(server, database),
  )
  const watch = watchRestore(server, database, entries)
  try {
    await restoreInto(server, programs, {
      ...{ archive: order.backup.file, listFile: list, database, role: owner },
      ...{ jobs: 1, inPlace: true, tells, look: watch.look },
    })
  } finally {
    await watch.close()
  }
  if (own) await restoreGrants(server, programs, { file: order.backup.file, listFile: list, database })
  const restored = new Set(await site.shell.script(RESTORED, [list], { reads: true }).then(namesOf))
  const survivors = before.filter((name) => !restored.has(name))
  if (survivors.length > 0) {
    site.log(
      `warning: ${database} still has what the backup does not: ${survivors.slice(0, 10).join(', ')}${survivors.length > 10 ? ` and ${survivors.length - 10} more` : ''}`,
    )
  }
  await finish(server, database, facts.stage, owner, order.choices ?? {})
}

const RESTORED = `sed -nE 's/^[0-9]+; 1259 [0-9]+ TABLE ([^ ]+ [^ ]+) .*/\\1/p' "$1"`

function namesOf({ stdout }: { readonly stdout: string }): readonly string[] {
  return stdout.split('\n').filter((line) => line !== '')
}

/** `schema table`, as a table of contents has them. */
async function tableNames(server: Server, database: string): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    server,
    "SELECT json_build_object('name', n.nspname || ' ' || c.relname) FROM pg_catalog.pg_class c " +
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' " +
      "AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY n.nspname, c.relname",
    database,
  )
  return rows.map(({ name }) => name)
}
