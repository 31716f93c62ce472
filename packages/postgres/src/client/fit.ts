import type { Shell } from '@deployfile/core'
import { identifier, literal } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'
import type { Pieces } from './pieces.ts'
import type { Programs } from './programs.ts'

/** What of an archive is restored where, and who will own it. */
export interface Fitting {
  /** The list of entries that are wanted, on the host: what does not fit is taken out of it. */
  readonly listFile: string
  readonly database: string
  readonly role: string
  /** Undefined where all of it goes into one transaction. */
  readonly archive: string | Pieces | undefined
}

interface Takes {
  /** Tablespaces besides the server's own two. */
  readonly tablespaces: boolean
  /** Whether the owner, and whether our login, is a superuser. */
  readonly owner: boolean
  readonly login: boolean
  /** Extensions that only a superuser may create. */
  readonly untrusted: readonly string[]
}

/**
 * Takes out of a list what the owner of the database may not make, and says so; extensions that our login may make in its place are
 * made by it. `tablespaces`: whether the server has any that objects could be put into; where it has none, all of it goes into the
 * default one.
 */
export async function fitList(
  server: Server,
  programs: Programs,
  fitting: Fitting,
): Promise<{ readonly tablespaces: boolean }> {
  const takes = await readTakes(server, fitting.role)
  const { tablespaces, owner, login } = takes
  if (owner) return { tablespaces }
  const { shell } = server.site
  const left = await takeOut(shell, fitting.listFile, SUPERUSERS)
  const names = left.flatMap(named)
  if (names.length > 0) server.site.log(`left out, because only a superuser may make it: ${names.join(', ')}`)
  const { archive } = fitting
  if (login && archive !== undefined)
    await makeExtensions(server, programs, { ...fitting, archive }, takes.untrusted)
  return { tablespaces }
}

/** One of `FOR ALL TABLES` is told from others only by what is not in the list; copied ones serve nobody. */
const SUPERUSERS =
  '^[0-9]+; [0-9]+ [0-9]+ (EVENT TRIGGER|PUBLICATION|PUBLICATION TABLE|PUBLICATION TABLES IN SCHEMA|COMMENT - EVENT TRIGGER|COMMENT - PUBLICATION) '

async function readTakes(server: Server, role: string): Promise<Takes> {
  const superuser = (condition: string): string =>
    `(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = ${condition})`
  const [takes] = await query<Takes>(
    server,
    'SELECT json_build_object(' +
      "'tablespaces', EXISTS (SELECT FROM pg_catalog.pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')), " +
      `'owner', ${superuser(literal(role))}, 'login', ${superuser('current_user')}, ` +
      // The column `trusted` is there since 13.
      "'untrusted', (SELECT coalesce(json_agg(DISTINCT v.name), '[]'::json) FROM pg_catalog.pg_available_extension_versions v " +
      "WHERE v.superuser AND coalesce(to_jsonb(v)->>'trusted', 'false') <> 'true'))",
  )
  return takes ?? { tablespaces: true, owner: true, login: false, untrusted: [] }
}

// grep says 1 where nothing fits, and 2 where it could not write: half a list would restore half a database.
const TAKE_OUT = `
umask 077
grep -E "$2" "$1" || [ $? -eq 1 ]
grep -Ev "$2" "$1" >"$1.log" || [ $? -eq 1 ]
mv "$1.log" "$1"
`

/** Gives the entries that were taken out, as the table of contents has them. */
async function takeOut(shell: Shell, list: string, pattern: string): Promise<readonly string[]> {
  const { stdout } = await shell.script(TAKE_OUT, [list, pattern])
  return stdout.split('\n').filter((line) => line !== '')
}

/** `3342; 6104 16414 PUBLICATION - p postgres` is the publication p: the last word is the owner. What belongs to it is not told. */
function named(entry: string): readonly string[] {
  const found = /^\d+; \d+ \d+ (EVENT TRIGGER|PUBLICATION) - (.*) \S*$/.exec(entry)
  return found ? [`${found[1]?.toLowerCase() ?? ''} ${found[2] ?? ''}`] : []
}

const STATEMENTS = `
umask 077
restore=$1 list=$2 pattern=$3
shift 3
grep -E "$pattern" "$list" >"$list.log" || true
if [ -s "$list.log" ]; then "$restore" -f - --use-list="$list.log" "$@" | grep '^CREATE EXTENSION ' || true; fi
rm -f "$list.log"
`

/**
 * Extensions that their owner could not make: made as the login, with the schemas that they stand in. What an extension keeps in tables
 * of its own is in the archive, and is written by the owner.
 */
async function makeExtensions(
  server: Server,
  programs: Programs,
  { listFile, database, role, archive }: Fitting & { readonly archive: string | Pieces },
  untrusted: readonly string[],
): Promise<void> {
  if (untrusted.length === 0) return
  const { shell } = server.site
  const pattern = `^[0-9]+; 3079 [0-9]+ EXTENSION - (${untrusted.map(escaped).join('|')}) `
  const args = [`${programs.folder}/pg_restore`, listFile, pattern]
  // These have no rows, so pg_restore reads no further than the table of contents.
  const { stdout } = await (typeof archive === 'string'
    ? shell.script(STATEMENTS, [...args, archive], { reads: true })
    : shell.script(STATEMENTS, args, { reads: true, input: archive.first() }))
  const statements = stdout.split('\n').filter((line) => line !== '')
  if (statements.length === 0) return
  const schemas = [...new Set(statements.flatMap((line) => / WITH SCHEMA (.+);$/.exec(line)?.[1] ?? []))]
  const made = schemas.map(plain).filter((name) => name !== 'public' && name !== 'pg_catalog')
  const sql = [
    ...made.map(
      (name) => `CREATE SCHEMA IF NOT EXISTS ${identifier(name)} AUTHORIZATION ${identifier(role)};`,
    ),
    ...statements,
    GRANT_TABLES(role),
  ]
  await execute(server, sql.join('\n'), database)
  const entries = [pattern, ...made.map((name) => `^[0-9]+; 2615 [0-9]+ SCHEMA - ${escaped(name)} `)]
  await takeOut(shell, listFile, entries.join('|'))
}

const GRANT_TABLES = (role: string): string =>
  `DO $fit$ DECLARE one regclass; BEGIN FOR one IN SELECT c.oid FROM pg_catalog.pg_extension e, unnest(e.extconfig) t(oid) JOIN pg_catalog.pg_class c ON c.oid = t.oid WHERE c.relkind IN ('r', 'p') LOOP EXECUTE format('GRANT SELECT, INSERT ON TABLE %s TO %I', one, ${literal(role)}); END LOOP; END $fit$;`

function plain(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

/** For grep -E; a character that means something there becomes any character. */
function escaped(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '.')
}
