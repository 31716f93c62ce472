import { literal } from '../sql/quote.ts'
import { query, type Server } from '../sql/query.ts'

/** What a database is apart from what is in it: all of this is lost by a restore that does not copy it. */
export interface LiveDatabase {
  readonly oid: number
  readonly owner: string
  readonly encoding: string
  readonly open: boolean
  readonly connectionLimit: number
  readonly comment: string | null
  readonly tablespace: string
  /** pg_database's own row; its columns on locale differ from version to version. */
  readonly row: Readonly<Record<string, string | number | boolean | null>>
  /** Null: the default rights. */
  readonly grants: readonly Grant[] | null
  readonly settings: readonly DatabaseSetting[]
}

export interface Grant {
  /** Null: everybody. */
  readonly grantee: string | null
  readonly privilege: string
  readonly grantable: boolean
}

export interface DatabaseSetting {
  /** Null: for every role. */
  readonly role: string | null
  readonly name: string
  readonly value: string
}

/** Undefined when there is no such database. */
export async function readLive(server: Server, database: string): Promise<LiveDatabase | undefined> {
  const [live] = await query<LiveDatabase>(server, SELECT_LIVE.replaceAll('\n', ' ') + literal(database))
  return live
}

const SELECT_LIVE = `
SELECT json_build_object(
  'oid', d.oid::bigint, 'owner', pg_catalog.pg_get_userbyid(d.datdba),
  'encoding', pg_catalog.pg_encoding_to_char(d.encoding), 'open', d.datallowconn, 'connectionLimit', d.datconnlimit,
  'comment', pg_catalog.shobj_description(d.oid, 'pg_database'),
  'tablespace', (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = d.dattablespace),
  'row', to_jsonb(d) - 'datacl',
  'grants', CASE WHEN d.datacl IS NULL THEN NULL ELSE (SELECT coalesce(json_agg(json_build_object(
      'grantee', CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
      'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]'::json)
    FROM pg_catalog.aclexplode(d.datacl) a) END,
  'settings', (SELECT coalesce(json_agg(json_build_object('role', r.rolname,
      'name', split_part(line, '=', 1), 'value', substr(line, strpos(line, '=') + 1))), '[]'::json)
    FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) line
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid))
FROM pg_catalog.pg_database d WHERE d.datname = `
