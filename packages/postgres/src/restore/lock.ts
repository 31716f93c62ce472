import { createHash } from 'node:crypto'
import { Problem } from '@deployfile/core'
import { tunnelProblem } from '../connection/tunnel.ts'
import { hostOf } from '../site.ts'
import { query, type Server } from '../sql/query.ts'
import { openSession } from '../sql/session.ts'

/** What keeps others from restoring the same database: a lock of one session of the server, which the server frees when that ends. */
export interface DatabaseLock {
  /** @throws Problem `RESTORE_LOCK_LOST`, `TUNNEL_LOST` (task) when the session that has the lock is gone */
  check(): Promise<void>
  release(): Promise<void>
}

interface Holder {
  readonly pid: number
  readonly user: string | null
  readonly since: string | null
  readonly from: string | null
}

/**
 * Takes the lock of a database, or fails at once: one restore a database, from wherever it is run.
 * @throws Problem `RESTORE_RUNNING` (check) with who has it
 */
export async function lockDatabase(server: Server, database: string): Promise<DatabaseLock> {
  const key = lockKey(database)
  const { tunnel } = server.site
  const before = tunnel?.failures().length ?? 0
  const session = openSession(server)
  // A server may end sessions that do nothing, which is all that this one does.
  const answer = await session.ask(
    "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'idle_session_timeout';\n" +
      `SELECT 'locked=' || pg_catalog.pg_try_advisory_lock(${key});`,
    /locked=(true|false)/,
  )
  if (answer?.[1] === 'true') {
    return {
      async check() {
        if (await session.ask("SELECT 'still=' || 1;", /still=1/)) return
        server.site.signal.throwIfAborted()
        const cut = tunnel && tunnelProblem(tunnel, 'psql', before)
        if (cut) throw cut
        const message = `the session that kept other restores of ${database} out was ended`
        throw new Problem('task', 'RESTORE_LOCK_LOST', message, {
          host: hostOf(server.site).name,
          hint: 'The live database was not touched. Run the restore again.',
        })
      },
      release: () => session.close(),
    }
  }
  // Without an answer the session has failed, and this throws what it failed with.
  await session.close()
  throw await held(server, database, key)
}

/** 64 bits, as PostgreSQL takes them. Only a hash, so that hostile names are no more than other bits. */
export function lockKey(database: string): bigint {
  return createHash('sha256').update(`deployfile:${database}`).digest().readBigInt64BE()
}

/** Whether a restore of the database is at work, from wherever. */
export async function isLocked(server: Server, database: string): Promise<boolean> {
  return (await holderOf(server, lockKey(database))) !== undefined
}

async function holderOf(server: Server, key: bigint): Promise<Holder | undefined> {
  const bits = BigInt.asUintN(64, key)
  const [holder] = await query<Holder>(
    server,
    "SELECT json_build_object('pid', l.pid, 'user', a.usename, 'since', to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'), " +
      "'from', host(a.client_addr)) FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid " +
      `WHERE l.locktype = 'advisory' AND l.granted AND l.classid = ${bits >> 32n} AND l.objid = ${bits & 0xffffffffn}`,
  )
  return holder
}

async function held(server: Server, database: string, key: bigint): Promise<Problem> {
  const holder = await holderOf(server, key)
  const who = holder
    ? ` (session ${holder.pid} of ${holder.user ?? 'somebody'}${holder.from === null ? '' : ` from ${holder.from}`}, since ${holder.since ?? 'some time'})`
    : ''
  return new Problem('check', 'RESTORE_RUNNING', `another restore of ${database} is at work${who}`, {
    host: hostOf(server.site).name,
    hint: 'Wait until it is done. Nothing was changed.',
  })
}
