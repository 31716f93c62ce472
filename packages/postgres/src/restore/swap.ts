import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem } from '@deployfile/core'
import { identifier, literal } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'
import { forgetClosed, recordClosed, reopen, type ClosedRecord } from './closed.ts'

export interface SwapOrder {
  /** What is live now, by name; and how it is known if this process dies meanwhile. */
  readonly closed: ClosedRecord
  /** The database that takes its place. */
  readonly fresh: string
  /** The name under which the live one is put aside. */
  readonly old: string
}

/** Each waits 5 s in the server for sessions to go (RenameDatabase in dbcommands.c), and all the time nobody can connect. */
const ATTEMPTS = 3
/** SQLSTATE object_in_use: "is being accessed by other users". */
const OBJECT_IN_USE = '55006'

/**
 * Puts a database in the place of the live one: closed to new sessions, sessions ended, both renamed in one transaction. This is all
 * the time that clients are kept away. Every failure leaves the live database under its name and open. Once both are renamed nothing is
 * a failure any more, also when the connection broke before the server's word of it came.
 * @throws Problem `DATABASE_COMMAND_FAILED` (task)
 */
export async function swap(server: Server, order: SwapOrder): Promise<void> {
  const { site } = server
  await recordClosed(site.shell, site.folder, order.closed)
  try {
    await attempt(server, order, 1)
  } catch (error) {
    // After an abort this shell refuses every command; then undo, or the next command, reads the record.
    if (site.signal.aborted || !(await isSwapped(server, order))) {
      await giveBack(server, order)
      throw error
    }
  }
  await forget(server, order)
}

/** Asked by oid, which stays the same under every name. Without an answer it is not known, and so not done. */
async function isSwapped(server: Server, { closed, old }: SwapOrder): Promise<boolean> {
  try {
    const [row] = await query<{ name: string }>(
      server,
      `SELECT json_build_object('name', datname) FROM pg_catalog.pg_database WHERE oid = ${closed.oid}`,
    )
    return row?.name === old
  } catch {
    return false
  }
}

/** Whatever fails here, the record stays, and the reason of the failure is the better one to be told. */
async function giveBack(server: Server, { closed }: SwapOrder): Promise<void> {
  const { site } = server
  if (site.signal.aborted) return
  try {
    await reopen(server, closed)
    await forgetClosed(site.shell, site.folder, closed)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    site.log(
      `warning: ${closed.database} may be closed to connections still (${why}); the next db:backup:list of this stage opens it`,
    )
  }
}

/** A record of a database that is swapped does no harm: whoever reads it next finds nothing to open, and removes it. */
async function forget({ site }: Server, { closed }: SwapOrder): Promise<void> {
  try {
    await forgetClosed(site.shell, site.folder, closed)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    site.log(`warning: a file of the swap stays in ${site.folder} until the next db:backup:* command: ${why}`)
  }
}

async function attempt(server: Server, order: SwapOrder, number: number): Promise<void> {
  const { database } = order.closed
  try {
    await execute(
      server,
      [
        // With the code of the error: its text is in the language of the server.
        '\\set VERBOSITY verbose',
        `ALTER DATABASE ${identifier(database)} WITH ALLOW_CONNECTIONS false;`,
        endSessions(database),
        endSessions(order.fresh),
        'BEGIN;',
        `ALTER DATABASE ${identifier(database)} RENAME TO ${identifier(order.old)};`,
        `ALTER DATABASE ${identifier(order.fresh)} RENAME TO ${identifier(database)};`,
        'COMMIT;',
      ].join('\n'),
    )
  } catch (error) {
    // A session that was let in just before the door closed is there only now.
    const busy = isProblem(error) && error.message.includes(OBJECT_IN_USE)
    if (!busy || number >= ATTEMPTS || server.site.signal.aborted) throw error
    await sleep(100 * 2 ** number, undefined, { signal: server.site.signal })
    await attempt(server, order, number + 1)
  }
}

/** Ends the sessions of a database, ours excepted. Background workers have none that may be ended by everybody. */
export function endSessions(database: string): string {
  return (
    'SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity ' +
    `WHERE datname = ${literal(database)} AND pid <> pg_catalog.pg_backend_pid();`
  )
}
