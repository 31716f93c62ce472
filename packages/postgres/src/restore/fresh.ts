import { Problem } from '@deployfile/core'
import { USER_TABLES } from '../backup/measure.ts'
import { temporaryName } from '../backup/name.ts'
import { countTables, formatSeconds } from '../backup/size.ts'
import { identifier, literal } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'
import { hostOf } from '../site.ts'
import type { Fill } from './fill.ts'
import { finish } from './finish.ts'
import { dropQuietly } from './leftovers.ts'
import { readLive } from './live.ts'
import type { DatabaseLock } from './lock.ts'
import { keepOld } from './old.ts'
import type { ReplaceOrder } from './order.ts'
import { copyStatements, createStatement } from './settings.ts'
import { swap } from './swap.ts'
import type { Target } from './target.ts'

/**
 * Makes a database beside the live one, has it filled, checks and finishes it there, and swaps the two; what fails before that drops the
 * new one, unless the signal was aborted. Gives the name of the database that was live before, when it stays.
 * @throws Problem `RESTORE_INCOMPLETE`, those of {@link putInPlace}, and what `fill` throws
 */
export async function swapIn(
  target: Target,
  order: ReplaceOrder,
  lock: DatabaseLock,
  fill: Fill,
): Promise<string | undefined> {
  const { server } = target
  const { site } = server
  const { database } = site.connection
  const fresh = temporaryName(database, 'restore', order.stamp)
  try {
    await fillFresh(target, order, fresh, fill)
    await lock.check()
    const old = await putInPlace(target, fresh, temporaryName(database, 'old', order.stamp))
    const keep = order.choices?.keepOld ?? (hostOf(site).transport === 'local' ? 0 : 1)
    return old === undefined ? undefined : await keepOld(server, database, old, keep)
  } catch (error) {
    if (!site.signal.aborted) await dropQuietly(server, fresh, 'the next restore drops it')
    throw error
  }
}

async function fillFresh(
  { server, live, facts }: Target,
  { choices = {} }: ReplaceOrder,
  fresh: string,
  fill: Fill,
): Promise<void> {
  const { site } = server
  const started = Date.now()
  const owner = live?.owner ?? (await currentUser(server))
  await execute(server, createStatement(fresh, live))
  const expected = await fill({ database: fresh, owner })
  const tables = await tablesOf(server, fresh)
  if (tables !== expected.tables) {
    const message = `${fresh} has ${tables} tables after the restore, the archive has ${expected.tables}`
    throw new Problem('task', 'RESTORE_INCOMPLETE', message, {
      host: hostOf(site).name,
      hint: `The live database was not touched. ${expected.advice}`,
    })
  }
  const restored = Date.now()
  await finish(server, fresh, facts.stage, owner, choices)
  site.log(
    `filled ${fresh}: ${countTables(tables)} in ${formatSeconds(restored - started)}, then statistics and checks in ${formatSeconds(Date.now() - restored)}`,
  )
}

/**
 * Puts the fresh database in the live one's place; gives the name of the database that was put aside, undefined when there was none.
 * @throws Problem `RESTORE_TARGET_CHANGED`, `DATABASE_PREPARED`, `RESTORE_LOCK_LOST`, `DATABASE_COMMAND_FAILED` (task)
 */
async function putInPlace(
  { server, live, facts }: Target,
  fresh: string,
  old: string,
): Promise<string | undefined> {
  const { site } = server
  const { database } = site.connection
  // Read again: a restore takes its time, and rights may have been given meanwhile.
  const now = await readLive(server, database)
  if (now?.oid !== live?.oid) {
    throw new Problem(
      'task',
      'RESTORE_TARGET_CHANGED',
      `somebody replaced ${database} on ${hostOf(site).name} while it was restored`,
      { hint: 'It was not touched. Start again when nobody else restores.' },
    )
  }
  if (!now) {
    await execute(server, `ALTER DATABASE ${identifier(fresh)} RENAME TO ${identifier(database)};`)
    return undefined
  }
  await refusePrepared(server, database)
  await execute(server, copyStatements(fresh, now).join('\n'))
  const closed = { v: 1, system: facts.identity?.system ?? '', oid: now.oid, database } as const
  await swap(server, { closed, fresh, old })
  return old
}

async function tablesOf(server: Server, database: string): Promise<number> {
  const [found] = await query<{ tables: number }>(server, USER_TABLES.replaceAll('\n', ' '), database)
  return found?.tables ?? 0
}

/** A prepared transaction cannot be ended like a session; the rename would wait for it with the door closed, and then fail. */
async function refusePrepared(server: Server, database: string): Promise<void> {
  const [row] = await query<{ gid: string }>(
    server,
    "SELECT json_build_object('gid', gid) FROM pg_catalog.pg_prepared_xacts " +
      `WHERE database = ${literal(database)} LIMIT 1`,
  )
  if (!row) return
  const host = hostOf(server.site).name
  const message = `${database} on ${host} has a prepared transaction (${row.gid}), so it cannot be replaced`
  throw new Problem('task', 'DATABASE_PREPARED', message, {
    host,
    hint: 'End it there with COMMIT PREPARED or ROLLBACK PREPARED. The live database was not touched.',
  })
}

async function currentUser(server: Server): Promise<string> {
  const [row] = await query<{ name: string }>(server, "SELECT json_build_object('name', current_user)")
  return row?.name ?? ''
}
