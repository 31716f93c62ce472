import { query, type Server } from '../sql/query.ts'
import { identifier } from '../sql/quote.ts'
import { runClient } from '../client/command.ts'
import { inDatabase } from '../connection/conninfo.ts'
import { execute } from '../sql/query.ts'
import type { RestoreChoices } from './choices.ts'
import { setEnvironment } from './rails.ts'

/**
 * What a restored database still needs before it is used: what must not be seen taken out, the project's own SQL, the environment that
 * Rails believes in, and statistics last, because they hold values of the rows.
 */
export async function finish(
  server: Server,
  database: string,
  stage: string,
  owner: string,
  choices: RestoreChoices,
): Promise<void> {
  const { anonymize = [], postRestore = [] } = choices
  for (const sql of anonymize) await runSql(server, database, owner, sql)
  if (anonymize.length > 0) await refreshViews(server, database)
  for (const sql of postRestore) await runSql(server, database, owner, sql)
  await setEnvironment(server, database, choices.railsEnvironment ?? railsName(stage))
  // Only a superuser may analyze the catalogs, and nobody needs to be warned of that once a table.
  await execute(server, 'SET client_min_messages = error; ANALYZE;', database)
}

function railsName(stage: string): string {
  return stage === 'dev' ? 'development' : stage
}

/** All of a text or none of it, as the owner, to whom belongs what it makes. */
async function runSql(server: Server, database: string, owner: string, sql: string): Promise<void> {
  await runClient(server.site, {
    program: server.psql,
    args: ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction'],
    connection: inDatabase(server.site.connection, database),
    readOnly: false,
    input: `SET ROLE ${identifier(owner)};\n${sql}\n`,
    env: { PGCLIENTENCODING: 'UTF8' },
  })
}

/** They were filled from the rows as they had been. In the order in which they were made, so that one can be made of another. */
async function refreshViews(server: Server, database: string): Promise<void> {
  const views = await query<{ schema: string; name: string }>(
    server,
    "SELECT json_build_object('schema', n.nspname, 'name', c.relname) FROM pg_catalog.pg_class c " +
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid",
    database,
  )
  for (const { schema, name } of views) {
    await execute(server, `REFRESH MATERIALIZED VIEW ${identifier(schema)}.${identifier(name)};`, database)
  }
}
