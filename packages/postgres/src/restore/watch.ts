import type { Seen } from '../client/watched.ts'
import { formatBytes } from '../backup/size.ts'
import { literal } from '../sql/quote.ts'
import type { Server } from '../sql/query.ts'
import { openSession, type Session } from '../sql/session.ts'

/** Milliseconds that its session gets to end. */
const CLOSING_MS = 3000

export interface RestoreWatch {
  /** How far a restore is: its entries, and the rows that are just being copied where the server tells (14 and later). */
  readonly look: (entries: number | undefined) => Promise<Seen>
  close(): Promise<void>
}

interface Told {
  readonly bytes: number
  readonly rows: number
  readonly tables: number
}

/**
 * Watches a database being filled through a session of its own, which is opened at the first look: what goes wrong in it must not
 * reach the session that has the lock, and most restores are done before anybody looks.
 * @param total entries that are to be restored
 */
export function watchRestore(server: Server, database: string, total: number): RestoreWatch {
  let session: Session | undefined
  const ask = async (): Promise<Told | undefined> => {
    session ??= openSession(server)
    const answer = await session.ask(tellOf(server, database), /told=(\{.*\})/)
    return answer && (JSON.parse(answer[1] ?? '') as Told)
  }
  return {
    async look(entries) {
      const told = await ask().catch(() => undefined)
      if (entries === undefined) return [told?.bytes ?? 0, undefined, { what: 'restore', unit: 'bytes' }]
      const note = told && noteOf(told)
      return [
        Math.min(entries, total),
        total,
        { what: 'restore', unit: 'entries', ...(note !== undefined && { note }) },
      ]
    },
    // It was only there to look: one that does not answer is not waited for.
    async close() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSING_MS)))
      await Promise.race([session?.close().catch(() => undefined), late])
      clearTimeout(timer)
    },
  }
}

function noteOf({ bytes, rows, tables }: Told): string {
  const size = `${formatBytes(bytes)} on the server`
  if (tables === 0) return size
  return `${size}, ${rows.toLocaleString('en-US')} rows into ${tables === 1 ? 'the table' : `the ${tables} tables`} at work`
}

function tellOf({ major }: Server, database: string): string {
  const name = literal(database)
  // pg_stat_progress_copy is there since 14. What is counted is the rows of this moment's COPYs.
  const copies =
    major >= 14
      ? `'rows', coalesce(sum(c.tuples_processed), 0), 'tables', count(c.pid)) FROM pg_catalog.pg_stat_progress_copy c WHERE c.datname = ${name}`
      : "'rows', 0, 'tables', 0)"
  return (
    "SELECT 'told=' || json_build_object('bytes', coalesce(pg_catalog.pg_database_size(" +
    `(SELECT oid FROM pg_catalog.pg_database WHERE datname = ${name})), 0), ${copies};`
  )
}
