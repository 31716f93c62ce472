import { stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import type { Server } from '../sql/query.ts'
import { inDatabase } from '../connection/conninfo.ts'
import type { Site } from '../site.ts'
import { dumpArguments, type DumpChoices } from './choices.ts'
import { failureProblem, runClient } from './command.ts'
import { libraryDump, LibraryFailure, type LibraryCall } from './library.ts'
import type { Programs } from './programs.ts'
import { watched, type Seen } from './watched.ts'

interface Packed {
  /** As pg_dump takes it. */
  readonly compress: string
  readonly choices: DumpChoices
}

export interface Dump extends Packed {
  readonly file: string
  /** Bytes that the file may have in the end, for whoever watches. */
  readonly estimate: number
}

/** Writes an archive of a database into a file that exists already, empty and 0600, on the server's host. */
export async function dumpTo(
  server: Server,
  programs: Programs,
  { file, compress, choices, estimate }: Dump,
): Promise<void> {
  const { site } = server
  const seen = (bytes: number): Seen => [bytes, estimate, { what: 'dump', unit: 'bytes', estimated: true }]
  if (site.shell.host.transport === 'local') {
    await watched(
      async () => seen((await stat(file)).size),
      site,
      () =>
        throughLibrary(server, programs, site.connection.database, 'pg_dump', (call) =>
          libraryDump(call, file, compress, choices),
        ),
    )
    return
  }
  await watched(
    async () => seen(await sizeThere(site, file)),
    site,
    () => runDump(server, programs, { compress, choices }, { args: ['-f', file] }),
  )
}

/** Writes an archive of a database as it is made; `output` is ended when all of it was written, and destroyed otherwise. */
export async function dumpInto(
  server: Server,
  programs: Programs,
  { output, ...packed }: Packed & { readonly output: Writable },
): Promise<void> {
  await runDump(server, programs, packed, { args: [], output })
}

async function runDump(
  { site, readOnly }: Server,
  programs: Programs,
  { compress, choices }: Packed,
  { args, output }: { readonly args: readonly string[]; readonly output?: Writable },
): Promise<void> {
  const own = ['-Fc', `--compress=${compress}`, '--lock-wait-timeout=30000', ...dumpArguments(choices)]
  await runClient(site, {
    program: `${programs.folder}/pg_dump`,
    args: [...own, ...args],
    connection: site.connection,
    readOnly,
    ...(output && { output }),
  })
}

async function sizeThere({ shell }: Site, file: string): Promise<number> {
  const { stdout } = await shell.script('wc -c <"$1"', [file], { reads: true })
  return Number(stdout.trim())
}

/** By the package pg-dump-restore, which runs the client programs of this machine. */
export async function throughLibrary(
  server: Server,
  programs: Programs,
  database: string,
  program: string,
  run: (call: LibraryCall) => Promise<void>,
): Promise<void> {
  const { site, readOnly } = server
  const connection = inDatabase(site.connection, database)
  const before = site.tunnel?.failures().length
  try {
    await run({
      connection,
      password: site.password,
      programs: programs.folder,
      readOnly,
      signal: site.signal,
    })
  } catch (error) {
    if (!(error instanceof LibraryFailure)) throw error
    throw failureProblem(site, connection, program, error.lines, error.exitCode, before)
  }
}
