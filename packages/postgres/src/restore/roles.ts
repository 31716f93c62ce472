import { Problem } from '@deployfile/core'
import { hostOf } from '../site.ts'
import { identifier } from '../sql/quote.ts'
import { query, type Server } from '../sql/query.ts'

/** As JSON, the roles that row security policies name: owners and rights are not restored, policies are. */
export const POLICY_ROLES =
  "(SELECT coalesce(json_agg(DISTINCT r.rolname), '[]'::json) FROM pg_catalog.pg_policy p " +
  'CROSS JOIN LATERAL unnest(p.polroles) one(oid) JOIN pg_catalog.pg_roles r ON r.oid = one.oid)'

/** @throws Problem `ROLE_MISSING` (check) when a server does not have all of these roles */
export async function checkRoles(server: Server, wanted: readonly string[]): Promise<void> {
  if (wanted.length === 0) return
  const roles = await query<{ name: string }>(
    server,
    "SELECT json_build_object('name', rolname) FROM pg_catalog.pg_roles",
  )
  const missing = wanted.filter((name) => !roles.some((role) => role.name === name))
  if (missing.length === 0) return
  const { name: host } = hostOf(server.site)
  const what = `policies of the database are for ${missing.length === 1 ? 'the role' : 'the roles'} ${missing.join(', ')}`
  const message = `${what}, which the server of ${server.site.connection.database} on ${host} does not have`
  throw new Problem('check', 'ROLE_MISSING', message, {
    host,
    hint: `Make them there: ${missing.map((role) => `CREATE ROLE ${identifier(role)};`).join(' ')} Nothing was changed.`,
  })
}
