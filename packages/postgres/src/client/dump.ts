import { stat } from 'node:fs/promises'
import type { Server } from '../sql/query.ts'
import { inDatabase } from '../connection/conninfo.ts'
import { failureProblem, runClient } from './command.ts'
import { libraryDump, LibraryFailure, libraryRestore, type LibraryCall } from './library.ts'
import type { Programs } from './programs.ts'

/** How often the growing file is looked at. */
const PROGRESS_MS = 500

/** Writes an archive of a database into a file that exists already, empty and 0600, on the server's host. */
export async function dumpTo(server: Server, programs: Programs, file: string): Promise<void> {
  const { site } = server
  if (site.shell.host.transport === 'local') {
    const watch = setInterval(() => {
      void stat(file).then(
        ({ size }) => site.progress(size),
        () => undefined,
      )
    }, PROGRESS_MS)
    try {
      await throughLibrary(server, programs, site.connection.database, 'pg_dump', (call) =>
        libraryDump(call, file),
      )
    } finally {
      clearInterval(watch)
    }
    return
  }
  // zlib 1 costs 4 % more bytes than the default 6 and half its time.
  await runClient(site, {
    program: `${programs.folder}/pg_dump`,
    args: ['-Fc', '-Z1', '--lock-wait-timeout=30000', '-f', file],
    connection: site.connection,
    readOnly: server.readOnly,
  })
}

export interface ArchiveRestore {
  /** The archive, and the list of its entries that are wanted. */
  readonly file: string
  readonly listFile: string
  readonly database: string
  /** Owns what is restored. */
  readonly role: string
  readonly jobs: number
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
  const args = ['--exit-on-error', '--no-owner', '--no-acl', `--role=${order.role}`, `--jobs=${order.jobs}`]
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
