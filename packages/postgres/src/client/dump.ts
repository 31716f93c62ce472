import { stat } from 'node:fs/promises'
import type { Server } from '../sql/query.ts'
import { inDatabase } from '../connection/conninfo.ts'
import type { Site } from '../site.ts'
import { dumpArguments, type DumpChoices } from './choices.ts'
import { failureProblem, runClient } from './command.ts'
import { libraryDump, LibraryFailure, libraryRestore, type LibraryCall } from './library.ts'
import type { Programs } from './programs.ts'

/** How often the growing file is looked at. */
const PROGRESS_MS = 1000

/** Writes an archive of a database into a file that exists already, empty and 0600, on the server's host. */
export async function dumpTo(
  server: Server,
  programs: Programs,
  file: string,
  compress: string,
  choices: DumpChoices = {},
): Promise<void> {
  const { site } = server
  if (site.shell.host.transport === 'local') {
    await watched(
      async () => (await stat(file)).size,
      site,
      () =>
        throughLibrary(server, programs, site.connection.database, 'pg_dump', (call) =>
          libraryDump(call, file, compress, choices),
        ),
    )
    return
  }
  const args = [
    '-Fc',
    `--compress=${compress}`,
    '--lock-wait-timeout=30000',
    ...dumpArguments(choices),
    '-f',
    file,
  ]
  await watched(
    () => sizeThere(site, file),
    site,
    () =>
      runClient(site, {
        program: `${programs.folder}/pg_dump`,
        args,
        connection: site.connection,
        readOnly: server.readOnly,
      }),
  )
}

async function sizeThere({ shell }: Site, file: string): Promise<number> {
  const { stdout } = await shell.script('wc -c <"$1"', [file], { reads: true })
  return Number(stdout.trim())
}

/** Says how far it is while something is at work, one look after the other. That a look fails is no reason to stop. */
export async function watched<T>(
  look: () => Promise<number>,
  site: Site,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let over = false
  const again = (): void => {
    timer = setTimeout(() => {
      void look()
        .then((done) => {
          if (!over) site.progress(done)
        })
        .catch(() => undefined)
        .finally(() => {
          if (!over) again()
        })
    }, PROGRESS_MS)
  }
  again()
  try {
    return await work()
  } finally {
    over = true
    clearTimeout(timer)
  }
}

export interface ArchiveRestore {
  /** The archive, and the list of its entries that are wanted. */
  readonly file: string
  readonly listFile: string
  readonly database: string
  /** Owns what is restored. */
  readonly role: string
  readonly jobs: number
  /** Into a database that is in use: what is there is replaced, in one transaction. */
  readonly inPlace?: boolean
}

/** Restores an archive strictly into an empty database: the first error ends it. */
export async function restoreInto(server: Server, programs: Programs, order: ArchiveRestore): Promise<void> {
  const { site } = server
  if (site.shell.host.transport === 'local') {
    await throughLibrary(server, programs, order.database, 'pg_restore', (call) =>
      libraryRestore(call, order.file, order),
    )
    return
  }
  const args = [
    ...['--exit-on-error', '--no-owner', '--no-acl', `--role=${order.role}`],
    ...(order.inPlace === true
      ? ['--clean', '--if-exists', '--single-transaction']
      : [`--jobs=${order.jobs}`]),
  ]
  await runClient(site, {
    program: `${programs.folder}/pg_restore`,
    args: [...args, `--use-list=${order.listFile}`, order.file],
    connection: inDatabase(site.connection, order.database),
    readOnly: false,
  })
}

async function throughLibrary(
  server: Server,
  programs: Programs,
  database: string,
  program: string,
  run: (call: LibraryCall) => Promise<void>,
): Promise<void> {
  const { site, readOnly } = server
  const connection = inDatabase(site.connection, database)
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
    throw failureProblem(site, connection, program, error.lines, error.exitCode)
  }
}
