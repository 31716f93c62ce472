import type { Writable } from 'node:stream'
import { isProblem, Problem, type CommandOutput } from '@deployfile/core'
import { conninfo, sessionVariables, type SessionOptions } from '../connection/conninfo.ts'
import { openPassword, passLine } from '../connection/passfile.ts'
import { tunnelProblem, type Tunnel } from '../connection/tunnel.ts'
import type { Connection } from '../connection/url.ts'
import type { Site } from '../site.ts'
import { SMALL_TALK } from './entries.ts'

// The password comes first on standard input, up to an empty line: argv and the environment of a process are there for others to
// read. The program runs in the background so that a signal ends it, and then the trap removes the file.
const WITH_PASSFILE = `umask 077
dir=$(mktemp -d)
child=
trap 'rm -rf "$dir"' EXIT
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; wait; exit 143' HUP INT TERM
while IFS= read -r line && [ -n "$line" ]; do printf '%s\\n' "$line"; done >"$dir/pgpass"
if [ -s "$dir/pgpass" ]; then PGPASSFILE=$dir/pgpass; export PGPASSFILE; unset PGPASSWORD; fi
exec 3<&0 4>&1 5>&2
if [ -n "\${DEPLOYFILE_LOG-}" ]; then exec 4>"$DEPLOYFILE_LOG" 5>&4; fi
"$@" <&3 3<&- >&4 4>&- 2>&5 5>&- &
child=$!
exec 4>&- 5>&-
status=0
wait "$child" || status=$?
if [ -n "\${DEPLOYFILE_LOG-}" ] && [ "$status" -ne 0 ]; then grep -Ev '${SMALL_TALK}' "$DEPLOYFILE_LOG" | tail -n 20 >&2 || true; fi
exit "$status"`

export interface ClientCall extends SessionOptions {
  /** Path of the program. */
  readonly program: string
  /** Without `-w` and `-d`, which are added. */
  readonly args: readonly string[]
  readonly connection: Connection
  /** Pieces are given to the program as they come; it ends with the last one. */
  readonly input?: string | AsyncIterable<string | Uint8Array>
  /** Takes what the program prints, in place of `stdout`. */
  readonly output?: Writable
  readonly env?: Readonly<Record<string, string>>
  /**
   * A file on the host that takes what it says, to be read while it runs; the caller removes it. For pg_restore, whose workers keep it
   * open when it was killed, and would keep our end of a pipe open.
   */
  readonly logFile?: string
  /** It changes nothing, and its output is for us: shown only with --verbose. */
  readonly reads?: boolean
}

/**
 * Runs a client program on the site's host; it never asks for a password (`-w`). Without a password of ours the host's own ways
 * hold: peer, ~/.pgpass, certificates.
 * @throws Problem `DATABASE_UNREACHABLE` (check), `DATABASE_COMMAND_FAILED` (task), and those of the shell
 */
export async function runClient(site: Site, call: ClientCall): Promise<CommandOutput> {
  await openPassword(site.password)
  const pass = site.password === undefined ? '' : `${passLine(site.password)}\n`
  const args = [call.program, '-w', '-d', conninfo(call.connection), ...call.args]
  // What people see of a script is its first line.
  const text = `# ${programName(call.program)} ${call.connection.database}\n${WITH_PASSFILE}`
  const before = site.tunnel?.failures().length
  try {
    return await site.shell.script(text, args, {
      input: typeof call.input === 'object' ? after(`${pass}\n`, call.input) : `${pass}\n${call.input ?? ''}`,
      ...(call.output && { output: call.output }),
      env: {
        ...{ ...sessionVariables(call), ...call.env },
        ...(call.logFile !== undefined && { DEPLOYFILE_LOG: call.logFile, LC_ALL: 'C' }),
      },
      reads: call.reads ?? false,
    })
  } catch (error) {
    throw clientProblem(site, call.connection, call.program, error, before)
  }
}

async function* after(
  first: string,
  rest: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<string | Uint8Array> {
  yield first
  yield* rest
}

/** A failed client program in words about the database; everything else is passed on as it is. */
export function clientProblem(
  site: Site,
  connection: Connection,
  program: string,
  error: unknown,
  before?: number,
): unknown {
  if (!isProblem(error) || error.code !== 'COMMAND_FAILED') return error
  const { command } = error.details
  return failureProblem(site, connection, program, command?.tail ?? [], command?.exitCode ?? null, before)
}

export function failureProblem(
  site: Site,
  connection: Connection,
  program: string,
  lines: readonly string[],
  exitCode: number | null,
  failuresBefore = 0,
): Problem {
  const name = programName(program)
  const cut = site.tunnel && tunnelProblem(site.tunnel, name, failuresBefore)
  if (cut) return cut
  // The file is ours and gone by now: naming it would send people looking.
  const text = lines
    .map((line) => line.trim())
    .filter((line) => !/^(password retrieved from file .*)?$/.test(line))
  const said = text.join('\n') || `no output, exit code ${exitCode ?? 'unknown'}`
  const host = site.shell.host.name
  if (/connection to server|could not (connect|translate)|fe_sendauth|no pg_hba.conf entry/.test(said)) {
    return new Problem(
      'check',
      'DATABASE_UNREACHABLE',
      `${host} cannot connect to the database ${connection.database}${site.tunnel ? ` through ${site.tunnel.host.name}` : ''}: ${said}`,
      {
        host,
        hint: site.tunnel ? tunnelHint(said, site.tunnel) : connectHint(said, connection),
      },
    )
  }
  const role = name === 'pg_restore' ? /role "(.+)" does not exist/.exec(said)?.[1] : undefined
  const hint = role === undefined ? undefined : `Make it on that server: CREATE ROLE "${role}";`
  return new Problem(
    'task',
    'DATABASE_COMMAND_FAILED',
    `${name} failed on ${host}, database ${connection.database}: ${said}`,
    {
      host,
      hint,
    },
  )
}

function programName(path: string): string {
  return path.split('/').at(-1) ?? path
}

function tunnelHint(said: string, { host, seen }: Tunnel): string {
  if (/no encryption|SSL off/.test(said))
    return 'The server takes only connections with TLS: add ?sslmode=require to the URL of this database.'
  return connectHint(said, seen).replace('Try it there', `Try it on ${host.name}`)
}

function connectHint(said: string, connection: Connection): string {
  if (/no password supplied/.test(said))
    return "Give the database a password in the config: { url, password: secret.env('…') }."
  if (/password authentication failed/.test(said))
    return 'Check the user and the password of this database in the config.'
  if (/does not exist/.test(said)) return 'Check the names in the URL of this database in the config.'
  const args = [
    connection.host && `-h ${connection.host}`,
    connection.port && `-p ${connection.port}`,
  ].filter(Boolean)
  return `Try it there: psql ${[...args, connection.user && `-U ${connection.user}`, connection.database].filter(Boolean).join(' ')}`
}
