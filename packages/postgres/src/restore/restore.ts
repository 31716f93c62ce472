import { Problem, type Question } from '@deployfile/core'
import { basename } from 'node:path'
import type { Contents } from '../backup/archive.ts'
import { USER_TABLES } from '../backup/create.ts'
import type { FoundBackup } from '../backup/find.ts'
import { makeFolder } from '../backup/folder.ts'
import { temporaryName, type Stamp } from '../backup/name.ts'
import { countTables } from '../backup/size.ts'
import { restoreInto } from '../client/dump.ts'
import { countJobs } from '../client/jobs.ts'
import type { Programs } from '../client/programs.ts'
import type { Site } from '../site.ts'
import { identifier, literal } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'
import { checkFile } from './check.ts'
import { judgeTarget, type ProductionDatabase } from './guard.ts'
import { dropDatabase, dropLeftovers } from './leftovers.ts'
import { readLive } from './live.ts'
import { setEnvironment } from './rails.ts'
import { copyStatements, createStatement } from './settings.ts'
import { swap } from './swap.ts'
import { openTarget, type Target } from './target.ts'

export interface RestoreOrder {
  /** The archive, on the site's host. */
  readonly backup: FoundBackup
  /** The stage whose database is replaced. */
  readonly stage: string
  /** What must never be the target; none known is refused. */
  readonly production: readonly ProductionDatabase[]
  /** Names the fresh database, so that {@link cleanUpRestore} finds it again. */
  readonly stamp: Stamp
  /** Called before anything is changed, when the target is not simply one's own. */
  confirm(question: Question): Promise<void>
}

export interface RestoreResult {
  readonly database: string
  readonly host: string
  readonly file: string
  readonly tables: number
}

/**
 * Restores an archive into a fresh database beside the live one, checks it there, and swaps the two. The live database is untouched
 * until the swap, and any failure before it drops the fresh one, unless the signal was aborted: then call {@link cleanUpRestore}.
 * @throws Problem those of {@link openTarget} and {@link judgeTarget}, `BACKUP_DAMAGED`, `BACKUP_NOT_ARCHIVE`, `NOT_CONFIRMED` (check),
 * `RESTORE_INCOMPLETE`, `DATABASE_COMMAND_FAILED` (task)
 */
export async function restoreBackup(site: Site, order: RestoreOrder): Promise<RestoreResult> {
  const target = await openTarget(site, order.stage)
  const { server } = target
  const question = judgeTarget(target.facts, order.production)
  await makeFolder(site.shell, site.folder)
  const { programs, contents } = await checkFile(server, order.backup, listFile(site, order.stamp))
  if (question) await order.confirm(question)
  await dropLeftovers(server, site.connection.database)
  const fresh = temporaryName(site.connection.database, 'restore', order.stamp)
  try {
    await fill(target, order, { programs, contents, fresh })
    const old = await putInPlace(target, order, fresh)
    if (old !== undefined) await dropQuietly(server, old, 'it is what was live before')
  } catch (error) {
    if (!site.signal.aborted) await dropQuietly(server, fresh, 'the next restore drops it')
    throw error
  } finally {
    if (!site.signal.aborted) await site.shell.remove(listFile(site, order.stamp))
  }
  const { database } = site.connection
  site.log(`restored ${basename(order.backup.file)} into ${database}: ${countTables(contents.tables)}`)
  return { database, host: site.shell.host.name, file: order.backup.file, tables: contents.tables }
}

/** What an aborted restore left: opens what it closed and drops its fresh database. Never touches a live one; fine when nothing is left. */
export async function cleanUpRestore(site: Site, stage: string, stamp: Stamp): Promise<void> {
  await site.shell.remove(listFile(site, stamp))
  const { server } = await openTarget(site, stage)
  await dropDatabase(server, temporaryName(site.connection.database, 'restore', stamp))
}

function listFile(site: Site, stamp: Stamp): string {
  return `${site.folder}/restore_${stamp.time}_${stamp.hex}.list`
}

interface Filling {
  readonly programs: Programs
  readonly contents: Contents
  readonly fresh: string
}

async function fill(
  target: Target,
  order: RestoreOrder,
  { programs, contents, fresh }: Filling,
): Promise<void> {
  const { server, live } = target
  const { site } = server
  const started = Date.now()
  await execute(server, createStatement(fresh, live))
  await restoreInto(server, programs, {
    file: order.backup.file,
    listFile: listFile(site, order.stamp),
    database: fresh,
    role: live?.owner ?? (await currentUser(server)),
    jobs: await countJobs(site.shell),
  })
  const [found] = await query<{ tables: number }>(server, USER_TABLES.replaceAll('\n', ' '), fresh)
  if (found?.tables !== contents.tables) {
    const message = `${fresh} has ${found?.tables ?? 0} tables after the restore, the archive has ${contents.tables}`
    throw new Problem('task', 'RESTORE_INCOMPLETE', message, {
      host: site.shell.host.name,
      hint: 'The live database was not touched. Check the backup with another restore.',
    })
  }
  // Only a superuser may analyze the catalogs, and nobody needs to be warned of that once a table.
  await execute(server, 'SET client_min_messages = error; ANALYZE;', fresh)
  await setEnvironment(server, fresh, order.stage)
  site.log(
    `filled ${fresh}: ${countTables(contents.tables)} in ${Math.round((Date.now() - started) / 100) / 10} s`,
  )
}

/** The name of the database that was put aside; undefined when there was none. */
async function putInPlace(
  { server, live, facts }: Target,
  order: RestoreOrder,
  fresh: string,
): Promise<string | undefined> {
  const { site } = server
  const { database } = site.connection
  // Read again: a restore takes its time, and rights may have been given meanwhile.
  const now = await readLive(server, database)
  if (now?.oid !== live?.oid) {
    throw new Problem(
      'task',
      'RESTORE_TARGET_CHANGED',
      `somebody replaced ${database} on ${site.shell.host.name} while it was restored`,
      {
        hint: 'It was not touched. Start again when nobody else restores.',
      },
    )
  }
  if (!now) {
    await execute(server, `ALTER DATABASE ${identifier(fresh)} RENAME TO ${identifier(database)};`)
    return undefined
  }
  await refusePrepared(server, database)
  await execute(server, copyStatements(fresh, now).join('\n'))
  const old = temporaryName(database, 'old', order.stamp)
  const closed = { v: 1, system: facts.identity?.system ?? '', oid: now.oid, database } as const
  await swap(server, { closed, fresh, old })
  return old
}

/** A prepared transaction cannot be ended like a session; the rename would wait for it with the door closed, and then fail. */
async function refusePrepared(server: Server, database: string): Promise<void> {
  const [row] = await query<{ gid: string }>(
    server,
    "SELECT json_build_object('gid', gid) FROM pg_catalog.pg_prepared_xacts " +
      `WHERE database = ${literal(database)} LIMIT 1`,
  )
  if (!row) return
  const host = server.site.shell.host.name
  const message = `${database} on ${host} has a prepared transaction (${row.gid}), so it cannot be replaced`
  throw new Problem('task', 'DATABASE_PREPARED', message, {
    host,
    hint: 'End it there with COMMIT PREPARED or ROLLBACK PREPARED. The live database was not touched.',
  })
}

/** For a database whose fate is no reason to call the restore failed, or to hide why it failed. */
async function dropQuietly(server: Server, name: string, what: string): Promise<void> {
  try {
    await dropDatabase(server, name)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    server.site.log(`warning: the database ${name} stays (${what}): ${why}`)
  }
}

async function currentUser(server: Server): Promise<string> {
  const [row] = await query<{ name: string }>(server, "SELECT json_build_object('name', current_user)")
  return row?.name ?? ''
}
