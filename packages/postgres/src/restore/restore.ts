import { basename } from 'node:path'
import { createBackup } from '../backup/create.ts'
import { writeList } from '../backup/contents.ts'
import { makeFolder } from '../backup/folder.ts'
import { newStamp, temporaryName, type Stamp } from '../backup/name.ts'
import { countTables, formatBytes, formatSeconds } from '../backup/size.ts'
import { logOf } from '../client/restore.ts'
import { hostOf, type Site } from '../site.ts'
import { checkFile } from './check.ts'
import { fillFresh, putInPlace, type Filling } from './fresh.ts'
import { judgeTarget } from './guard.ts'
import { restoreInPlace } from './in-place.ts'
import { dropDatabase, dropLeftovers, dropQuietly, removeLeftovers } from './leftovers.ts'
import { lockDatabase, lockKey } from './lock.ts'
import { keepOld } from './old.ts'
import type { RestoreOrder, RestoreResult } from './order.ts'
import { preflight, type Readiness } from './preflight.ts'
import { openTarget, type Target } from './target.ts'

/**
 * Restores an archive into a fresh database beside the live one, checks it there, and swaps the two. The live database is untouched
 * until the swap, and any failure before it drops the fresh one, unless the signal was aborted: then call {@link cleanUpRestore}.
 * Where the login may make no database it is done in one transaction of the live one, after a backup of that.
 * @throws Problem those of {@link openTarget}, {@link judgeTarget} and {@link preflight}, `BACKUP_DAMAGED`, `BACKUP_NOT_ARCHIVE`,
 * `NOT_CONFIRMED`, `RESTORE_RUNNING` (check), `RESTORE_INCOMPLETE`, `DATABASE_COMMAND_FAILED` (task)
 */
export async function restoreBackup(site: Site, order: RestoreOrder): Promise<RestoreResult> {
  const started = Date.now()
  const target = await openTarget(site, order.stage)
  const { server } = target
  const { question, forceSafety } = judgeTarget(target.facts, order.production, order.recover)
  await makeFolder(site.shell, site.folder)
  const checked = await checkFile(server, order.backup)
  const ready = await preflight(target, order.backup.manifest, order.choices)
  if (question) await order.confirm(question)
  const lock = await lockDatabase(server, site.connection.database)
  const list = listFile(target, order.stamp)
  try {
    const safety = await makeSafe(site, order, target, ready, forceSafety)
    await dropLeftovers(server, site.connection.database)
    await removeLeftovers(site, `${listPrefix(target)}*`)
    let kept: string | undefined
    if (ready.strategy === 'in-place') await restoreInPlace(target, order, { ...checked, list })
    else {
      const fresh = temporaryName(site.connection.database, 'restore', order.stamp)
      kept = await swapIn(target, order, { ...checked, list, lock, fresh })
    }
    const { database } = site.connection
    const durationMs = Date.now() - started
    site.log(
      `restored ${basename(order.backup.file)} into ${database} in ${formatSeconds(durationMs)}: ${formatBytes(checked.bytes)}, ` +
        `${countTables(checked.contents.tables)}, sha256 ${checked.sha256}`,
    )
    return {
      ...{ database, host: hostOf(site).name, file: order.backup.file, tables: checked.contents.tables },
      ...{ strategy: ready.strategy, durationMs },
      ...(kept !== undefined && { kept }),
      ...(safety !== undefined && { safety }),
    }
  } finally {
    await letGo(site, () => (site.signal.aborted ? Promise.resolve() : removeList(site, list)))
    await letGo(site, () => lock.release())
  }
}

/** What an aborted restore left: opens what it closed and drops its fresh database. Never touches a live one; fine when nothing is left. */
export async function cleanUpRestore(site: Site, stage: string, stamp: Stamp): Promise<void> {
  const target = await openTarget(site, stage)
  await removeList(site, listFile(target, stamp))
  await dropDatabase(target.server, temporaryName(site.connection.database, 'restore', stamp))
}

async function removeList({ shell }: Site, list: string): Promise<void> {
  await shell.script('rm -f "$@"', [list, logOf(list)])
}

/** Of one database of one server, so that whoever has its lock knows whose they are. */
function listPrefix({ facts }: Target): string {
  const { system = '' } = facts.identity ?? {}
  return `restore_${system}_${lockKey(facts.database).toString(36)}_`
}

function listFile(target: Target, { time, hex }: Stamp): string {
  return `${target.server.site.folder}/${listPrefix(target)}${time}_${hex}.list`
}

/** Gives the name of the database that was live before, when it stays. */
async function swapIn(
  target: Target,
  order: RestoreOrder,
  filling: Omit<Filling, 'entries'>,
): Promise<string | undefined> {
  const { server } = target
  const { site } = server
  const { database } = site.connection
  try {
    const entries = await writeList(site.shell, filling.programs, order.backup.file, filling.list)
    await fillFresh(target, order, { ...filling, entries })
    await filling.lock.check()
    const old = await putInPlace(target, filling.fresh, temporaryName(database, 'old', order.stamp))
    const keep = order.choices?.keepOld ?? (hostOf(site).transport === 'local' ? 0 : 1)
    return old === undefined ? undefined : await keepOld(server, database, old, keep)
  } catch (error) {
    if (!site.signal.aborted) await dropQuietly(server, filling.fresh, 'the next restore drops it')
    throw error
  }
}

/** A backup of what is live, where the restore could not be taken back or the config asks for it. Gives its path. */
async function makeSafe(
  site: Site,
  { application = 'safety', stage, choices }: RestoreOrder,
  { live }: Target,
  { strategy }: Readiness,
  forced: boolean,
): Promise<string | undefined> {
  const wanted = forced || strategy === 'in-place' || choices?.safetyBackup === true
  if (!wanted || !live) return undefined
  const { file } = await createBackup(site, { application, stage }, newStamp())
  site.log(`what is live now is in ${file} on ${site.shell.host.name}`)
  return file
}

/**
 * The work is done, or has failed for a better reason; without its session the lock is free in any case, and a list that stays is
 * removed by the next restore.
 */
async function letGo(site: Site, give: () => Promise<void>): Promise<void> {
  try {
    await give()
  } catch (error) {
    if (!site.signal.aborted) site.log(`warning: ${error instanceof Error ? error.message : String(error)}`)
  }
}
