import { Problem } from '@deployfile/core'
import { hostOf } from '../site.ts'
import { query, type Server } from '../sql/query.ts'
import type { Rights } from './rights.ts'

interface Available {
  readonly name: string
  /** Only a superuser may create it. */
  readonly superuser: boolean
}

/**
 * Whether a server has the extensions that a restore is going to create, and whether this login may create them.
 * @throws Problem `EXTENSION_MISSING`, `EXTENSION_RIGHTS` (check)
 */
export async function checkExtensions(
  server: Server,
  rights: Rights,
  wanted: readonly string[],
): Promise<void> {
  if (wanted.length === 0) return
  const { name: host } = hostOf(server.site)
  // The column `trusted` is there since 13.
  const available = await query<Available>(
    server,
    "SELECT json_build_object('name', v.name, 'superuser', bool_and(v.superuser AND coalesce(to_jsonb(v)->>'trusted', 'false') <> 'true')) " +
      'FROM pg_catalog.pg_available_extension_versions v GROUP BY v.name',
  )
  const missing = wanted.filter((name) => !available.some((one) => one.name === name))
  if (missing.length > 0) {
    const packages = [`postgresql-contrib`, ...missing.map((name) => `postgresql-${server.major}-${name}`)]
    throw new Problem(
      'check',
      'EXTENSION_MISSING',
      `the server of ${server.site.connection.database} on ${host} does not have the extension ${missing.join(', ')}`,
      {
        host,
        hint: `Install it on the server; on Debian it is in one of ${packages.join(', ')}. Nothing was changed.`,
      },
    )
  }
  const forbidden = wanted.filter((name) => available.some((one) => one.name === name && one.superuser))
  if (rights.superuser || forbidden.length === 0) return
  throw new Problem(
    'check',
    'EXTENSION_RIGHTS',
    `only a superuser may create the extension ${forbidden.join(', ')}, and ${rights.user} is none`,
    {
      host,
      hint: 'Leave it out of the copied database, or restore as a superuser of this server. Nothing was changed.',
    },
  )
}
