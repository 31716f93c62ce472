import type { Writable } from 'node:stream'
import { inDatabase } from '../connection/conninfo.ts'
import type { Server } from '../sql/query.ts'
import { runClient } from './command.ts'
import { throughLibrary } from './dump.ts'
import { BEGUN_BY_ONE, DONE_BY_JOBS, entryCounter, UNLISTED } from './entries.ts'
import { fitList } from './fit.ts'
import { libraryRestore } from './library.ts'
import type { Pieces } from './pieces.ts'
import type { Programs } from './programs.ts'
import { watched, type Seen } from './watched.ts'

export interface ArchiveRestore {
  /** The path of the archive; or all of it as it comes, for one job. */
  readonly archive: string | Pieces
  /** The list of its entries that are wanted. */
  readonly listFile: string
  readonly database: string
  /** Owns what is restored. */
  readonly role: string
  readonly jobs: number
  /** Into a database that is in use: what is there is replaced, in one transaction. */
  readonly inPlace?: boolean
  /** pg_restore says each entry as it comes, so that they can be counted. */
  readonly tells: boolean
  /** Ends it when it is destroyed. */
  readonly stop?: Writable
  /** How far it is, once it is known how many entries are done; undefined where it does not tell. */
  readonly look: (entries: number | undefined) => Promise<Seen>
}

/** What pg_restore says on a remote host while it runs, beside the list. */
export function logOf(listFile: string): string {
  return `${listFile}.log`
}

/** Restores an archive strictly into an empty database: the first error ends it. */
export async function restoreInto(server: Server, programs: Programs, order: ArchiveRestore): Promise<void> {
  const { site } = server
  const { archive, tells, look, listFile, database, role } = order
  const isFile = typeof archive === 'string'
  const jobs = order.inPlace === true || !isFile ? 1 : order.jobs
  const fitting = { listFile, database, role, archive: order.inPlace === true ? undefined : archive }
  const { tablespaces } = await fitList(server, programs, fitting)
  // The package gives pg_restore no input.
  if (isFile && site.shell.host.transport === 'local') {
    const counter = entryCounter(jobs)
    await watched(
      () => look(tells ? counter.done() : undefined),
      site,
      () =>
        throughLibrary(server, programs, order.database, 'pg_restore', (call) =>
          libraryRestore({ ...call, ...(tells && { onLine: counter.add }) }, archive, {
            ...order,
            tablespaces,
          }),
        ),
    )
    return
  }
  const logFile = logOf(order.listFile)
  const args = [
    ...['--exit-on-error', '--no-owner', '--no-acl', `--role=${order.role}`],
    ...(order.inPlace === true
      ? ['--clean', '--if-exists', '--single-transaction']
      : isFile
        ? [`--jobs=${jobs}`]
        : []),
    ...(tablespaces ? [] : ['--no-tablespaces']),
    ...(tells ? ['--verbose'] : []),
  ]
  await watched(
    async () => look(tells ? await countThere(server, logFile, jobs) : undefined),
    site,
    () =>
      runClient(site, {
        program: `${programs.folder}/pg_restore`,
        args: [...args, `--use-list=${order.listFile}`, ...(isFile ? [archive] : [])],
        connection: inDatabase(site.connection, order.database),
        readOnly: false,
        ...(!isFile && { input: archive.rest() }),
        ...(order.stop && { output: order.stop }),
        ...(tells && { logFile }),
      }),
  )
}

const COUNT = `grep -Ev "$2" "$1" 2>/dev/null | grep -Ec "$3" || true`

async function countThere({ site }: Server, logFile: string, jobs: number): Promise<number> {
  const counted = jobs > 1 ? DONE_BY_JOBS : BEGUN_BY_ONE
  const { stdout } = await site.shell.script(COUNT, [logFile, UNLISTED, counted], { reads: true })
  const lines = Number(stdout.trim())
  return jobs > 1 ? lines : Math.max(0, lines - 1)
}
