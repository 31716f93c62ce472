import { Problem } from '@deployfile/core'
import { checkSpace } from '../backup/space.ts'
import { literal } from '../sql/quote.ts'
import { query, type Server } from '../sql/query.ts'
import { checkExtensions } from './extensions.ts'
import { checkRoles, POLICY_ROLES } from './roles.ts'
import { chooseStrategy, readRights, type Rights, type Strategy } from './rights.ts'
import type { RestoreChoices } from './choices.ts'
import type { Target } from './target.ts'

/** What is known of a database before it has been dumped, or of an archive from its manifest. */
export interface SourceFacts {
  /** `15.18` */
  readonly serverVersion: string
  readonly extensions: readonly string[]
  /** On the server, with indexes; undefined when it is not known. */
  readonly databaseBytes?: number | undefined
  /** That its policies name; undefined when it is not known. */
  readonly roles?: readonly string[] | undefined
}

/** Reads what a target must be ready for. */
export async function readSource(server: Server): Promise<Required<SourceFacts>> {
  const { database } = server.site.connection
  const [row] = await query<{ extensions: string[]; roles: string[]; bytes: number }>(
    server,
    "SELECT json_build_object('extensions', (SELECT coalesce(json_agg(extname ORDER BY extname), '[]'::json) " +
      "FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'), " +
      `'roles', ${POLICY_ROLES}, ` +
      `'bytes', pg_catalog.pg_database_size(${literal(database)}))`,
  )
  return {
    serverVersion: server.version,
    extensions: row?.extensions ?? [],
    databaseBytes: row?.bytes ?? 0,
    roles: row?.roles ?? [],
  }
}

export interface Readiness {
  readonly strategy: Strategy
  readonly rights: Rights
}

/** `stream`: the dump is restored as it comes. */
type Wanted = RestoreChoices & { readonly stream?: boolean | undefined }

/**
 * Everything that would only come to light after the long work: rights, versions, extensions, room. Changes nothing.
 * @throws Problem `RESTORE_RIGHTS`, `EXTENSION_MISSING`, `EXTENSION_RIGHTS`, `ROLE_MISSING`, `DISK_FULL`, `RESTORE_IN_PLACE` (check)
 */
export async function preflight(
  { server, facts, live }: Target,
  source: SourceFacts | undefined,
  choices: Wanted = {},
): Promise<Readiness> {
  const rights = await readRights(server, live)
  const strategy = chooseStrategy(choices.strategy ?? 'auto', rights, { ...facts, owner: live?.owner })
  if (strategy === 'in-place') refuseInPlace(choices, facts.host)
  if (!source) return { strategy, rights }
  const sourceMajor = Number(source.serverVersion.split('.')[0])
  if (sourceMajor > server.major) {
    server.site.log(
      `warning: this comes from PostgreSQL ${source.serverVersion} and goes to ${server.version}: what is new there is refused here`,
    )
  }
  const present = strategy === 'in-place' ? await extensionsOf(server, facts.database) : []
  await checkExtensions(
    server,
    rights,
    source.extensions.filter((name) => !present.includes(name)),
  )
  await checkRoles(server, source.roles ?? [])
  if (source.databaseBytes !== undefined && strategy === 'swap')
    await checkServerSpace(server, source.databaseBytes)
  return { strategy, rights }
}

/**
 * What is to be taken out must be taken out before anybody sees it, and in place everybody does; and a transaction of the live database
 * would be over before the end of the dump tells whether all of it has come.
 */
function refuseInPlace({ anonymize = [], stream }: Wanted, host: string): void {
  if (anonymize.length === 0 && stream !== true) return
  const why =
    stream === true
      ? 'a dump that is restored as it comes would be live before it is known to be whole'
      : 'what is to be anonymized would be seen before it is'
  throw new Problem(
    'check',
    'RESTORE_IN_PLACE',
    `${why}, because this restore is done in the live database itself`,
    {
      host,
      hint: "It is done beside it where the login of the URL may make databases (ALTER ROLE … CREATEDB) and the strategy is 'auto' or 'swap'. Nothing was changed.",
    },
  )
}

export async function extensionsOf(server: Server, database: string): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    server,
    "SELECT json_build_object('name', extname) FROM pg_catalog.pg_extension",
    database,
  )
  return rows.map(({ name }) => name)
}

// Where the data is, the server tells only some; and only of a server that is reached by its socket is that a folder of this host.
async function checkServerSpace(server: Server, bytes: number): Promise<void> {
  const { site } = server
  const { host } = site.connection
  if (site.tunnel || (host !== undefined && !host.startsWith('/'))) return
  const [row] = await query<{ folder: string }>(
    server,
    "SELECT json_build_object('folder', setting) FROM pg_catalog.pg_settings WHERE name = 'data_directory'",
  )
  if (!row) return
  await checkSpace(site.shell, row.folder, bytes, 'the restored database').catch((error: unknown) => {
    // A folder that df may not look at says nothing; only what it has said counts.
    if ((error as { code?: string }).code === 'DISK_FULL') throw error
  })
}
