import { identifier, literal } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'

/**
 * Rails writes the environment that a database belongs to into itself, and refuses to drop one that says production. After a restore
 * it says the target's stage. Only where the table exists: it is never made.
 */
export async function setEnvironment(server: Server, database: string, stage: string): Promise<void> {
  const tables = await query<{ schema: string }>(
    server,
    "SELECT json_build_object('schema', n.nspname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n " +
      "ON n.oid = c.relnamespace WHERE c.relname = 'ar_internal_metadata' AND c.relkind = 'r'",
    database,
  )
  for (const { schema } of tables) {
    const table = `${identifier(schema)}.ar_internal_metadata`
    await execute(
      server,
      `UPDATE ${table} SET value = ${literal(stage)} WHERE key = 'environment';`,
      database,
    )
  }
}
