import { Problem, type Shell } from '@deployfile/core'

/** One folder that holds psql, pg_dump and pg_restore. */
export interface Programs {
  readonly folder: string
  /** As pg_dump prints it: `15.18`. */
  readonly version: string
  readonly major: number
}

const NAMES = ['psql', 'pg_dump', 'pg_restore']

// Debian's /usr/bin/pg_dump is a wrapper that picks a version by the clusters of the machine, not by the server that is asked for.
const FIND = `
folders() {
  printf '%s\\n' "$PATH" | tr ':' '\\n'
  for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin \\
    /opt/homebrew/opt/libpq/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin
  do printf '%s\\n' "$folder"; done
}
folders | while IFS= read -r folder; do
  found=
  for name in ${NAMES.join(' ')}; do if [ -x "$folder/$name" ]; then found="$found $name"; fi; done
  [ -n "$found" ] || continue
  case $(readlink -f "$folder/psql" 2>/dev/null || true) in */pg_wrapper) continue ;; esac
  version=
  if [ -x "$folder/pg_dump" ]; then version=$("$folder/pg_dump" --version 2>/dev/null || true); fi
  printf '%s\\t%s\\t%s\\n' "$folder" "$found" "$version"
done
`

/**
 * The client programs of a host: those on the PATH first, then where Debian, RPMs and Homebrew put them.
 * @throws Problem `PG_CLIENT_MISSING` (check)
 */
export async function findPrograms(shell: Shell): Promise<readonly Programs[]> {
  const { stdout } = await shell.script(FIND, [], { reads: true })
  const rows = stdout.split('\n').filter((line) => line !== '')
  const programs: Programs[] = []
  const seen = new Set<string>()
  for (const row of rows) {
    const [folder = '', found = '', banner = ''] = row.split('\t')
    for (const name of found.trim().split(' ')) seen.add(name)
    const version = /\(PostgreSQL\) (\d+)(\S*)/.exec(banner)
    if (!version || !NAMES.every((name) => found.includes(` ${name}`))) continue
    programs.push({ folder, version: `${version[1] ?? ''}${version[2] ?? ''}`, major: Number(version[1]) })
  }
  if (programs.length > 0) return programs
  const missing = NAMES.filter((name) => !seen.has(name))
  const what = missing.length === 0 ? `${NAMES.join(', ')} together in one folder` : missing.join(', ')
  throw new Problem('check', 'PG_CLIENT_MISSING', `${shell.host.name} has no ${what}`, {
    host: shell.host.name,
    hint: 'Install the client programs of PostgreSQL there: sudo apt-get install postgresql-client',
  })
}

/**
 * The programs nearest to a server: of its own major version, else the next newer. pg_dump refuses servers newer than itself.
 * @throws Problem `PG_CLIENT_TOO_OLD` (check)
 */
export function choosePrograms(
  programs: readonly Programs[],
  major: number,
  host: string,
  why: string,
): Programs {
  const fitting = programs.filter((entry) => entry.major >= major)
  const [best] = fitting.sort((a, b) => a.major - b.major)
  if (best) return best
  const have = [...new Set(programs.map((entry) => entry.version))].join(', ')
  throw new Problem(
    'check',
    'PG_CLIENT_TOO_OLD',
    `${why}, and ${host} has client programs only of version ${have}`,
    {
      host,
      hint: `Install newer ones there: sudo apt-get install postgresql-client-${major}`,
    },
  )
}
