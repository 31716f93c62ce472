import { isProblem } from '@deployfile/core'
import { literal } from '../sql/quote.ts'
import { query, type Server } from '../sql/query.ts'

/**
 * What makes a database itself, whatever name, address or tunnel it is reached by: the identifier that initdb gave to its cluster
 * (standbys share it) and its oid there.
 */
export interface Identity {
  /** 64 bits, as text. */
  readonly system: string
  /** Null for a database that does not exist yet. */
  readonly oid: number | null
}

export interface DatabaseIdentity extends Identity {
  readonly oid: number
}

/** Null when the server does not tell this login. */
export async function readIdentity(server: Server, database: string): Promise<Identity | null> {
  const sql =
    "SELECT json_build_object('system', system_identifier::text, 'oid', " +
    `(SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = ${literal(database)})) FROM pg_catalog.pg_control_system()`
  try {
    const [row] = await query<Identity>(server, sql)
    return row ?? null
  } catch (error) {
    if (isProblem(error) && error.code === 'DATABASE_COMMAND_FAILED') return null
    throw error
  }
}
