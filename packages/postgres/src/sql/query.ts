import { Problem } from '@deployfile/core'
import { choosePrograms, findPrograms, type Programs } from '../client/programs.ts'
import { runClient } from '../client/command.ts'
import { inDatabase } from '../connection/conninfo.ts'
import type { Site } from '../site.ts'

/** A server that answers, and the client programs of the host that it is reached from. */
export interface Server {
  readonly site: Site
  readonly programs: readonly Programs[]
  readonly psql: string
  readonly readOnly: boolean
  /** The database that statements run in unless they name another. */
  readonly database: string
  /** `15.18` */
  readonly version: string
  readonly major: number
}

/** Runs statements one by one and stops at the first error; each is its own transaction unless the text says BEGIN. */
export async function execute(server: Server, sql: string, database?: string): Promise<void> {
  await runStatements(server, sql, database, false)
}

async function runStatements(
  server: Server,
  sql: string,
  database: string | undefined,
  reads: boolean,
): Promise<string> {
  const output = await runClient(server.site, {
    program: server.psql,
    reads,
    args: ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'],
    connection: inDatabase(server.site.connection, database ?? server.database),
    readOnly: server.readOnly,
    input: `${sql}\n`,
    env: { PGCLIENTENCODING: 'UTF8' },
  })
  if (output.truncated) {
    throw new Problem(
      'task',
      'DATABASE_ANSWER_TOO_LONG',
      `psql's answer from ${server.site.shell.host.name} was cut off`,
    )
  }
  return output.stdout
}

/** A query whose rows are one JSON value each, so that no name or text can be mistaken for the end of a column or a row. */
export async function query<Row>(server: Server, sql: string, database?: string): Promise<Row[]> {
  const stdout = await runStatements(server, sql, database, true)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

export interface OpenOptions {
  readonly readOnly: boolean
  /** Databases to connect to, the first that lets us in. */
  readonly databases: readonly string[]
}

/**
 * Finds the client programs and connects.
 * @throws Problem `PG_CLIENT_MISSING`, `DATABASE_UNREACHABLE` (check), and those of the shell for a tunnel's host
 */
export async function openServer(site: Site, { readOnly, databases }: OpenOptions): Promise<Server> {
  const programs = await findPrograms(site.shell)
  const newest = Math.max(...programs.map((entry) => entry.major))
  const psql = `${choosePrograms(programs, newest, site.shell.host.name, 'psql is needed').folder}/psql`
  await site.tunnel?.reach(site.signal)
  let first: unknown
  for (const database of databases) {
    const server = { site, programs, psql, readOnly, database, version: '', major: 0 }
    try {
      const [row] = await query<{ number: number }>(
        server,
        "SELECT json_build_object('number', current_setting('server_version_num')::int)",
      )
      const number = row?.number ?? 0
      return {
        ...server,
        version: `${Math.floor(number / 10000)}.${number % 10000}`,
        major: Math.floor(number / 10000),
      }
    } catch (error) {
      site.signal.throwIfAborted()
      first ??= error
    }
  }
  throw first
}
