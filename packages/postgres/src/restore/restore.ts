import { basename } from 'node:path'
import { makeFolder } from '../backup/folder.ts'
import { temporaryName, type Stamp } from '../backup/name.ts'
import { countTables, formatBytes, formatSeconds } from '../backup/size.ts'
import { hostOf, type Site } from '../site.ts'
import { checkFile } from './check.ts'
import { exclusively, listFile, removeList } from './exclusive.ts'
import { fillFromFile } from './fill.ts'
import { swapIn } from './fresh.ts'
import { judgeTarget } from './guard.ts'
import { restoreInPlace } from './in-place.ts'
import { dropDatabase } from './leftovers.ts'
import type { RestoreOrder, RestoreResult } from './order.ts'
import { preflight } from './preflight.ts'
import { openTarget } from './target.ts'

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
  const { question, forceSafety } = judgeTarget(target.facts, order.production, order.recover)
  await makeFolder(site.shell, site.folder)
  const checked = await checkFile(target.server, order.backup)
  const { strategy } = await preflight(target, order.backup.manifest, order.choices)
  if (question) await order.confirm(question)
  return exclusively(target, order, { strategy, forceSafety }, async ({ list, lock, safety }) => {
    const { database } = site.connection
    let kept: string | undefined
    const own = isOwn(order, database)
    if (strategy === 'in-place') await restoreInPlace(target, order, { ...checked, list, own })
    else
      kept = await swapIn(
        target,
        order,
        lock,
        fillFromFile(target.server, order.backup.file, checked, { list, own, jobs: order.choices?.jobs }),
      )
    const durationMs = Date.now() - started
    site.log(
      `restored ${basename(order.backup.file)} into ${database} in ${formatSeconds(durationMs)}: ${formatBytes(checked.bytes)}, ` +
        `${countTables(checked.contents.tables)}, sha256 ${checked.sha256}`,
    )
    return {
      ...{ database, host: hostOf(site).name, file: order.backup.file, tables: checked.contents.tables },
      ...{ strategy, durationMs },
      ...(kept !== undefined && { kept }),
      ...(safety !== undefined && { safety }),
    }
  })
}

/** Between stages roles differ, and rights with them; what a stage restores of itself it gets back with the rights that others had. */
function isOwn({ backup, stage }: RestoreOrder, database: string): boolean {
  return backup.manifest?.stage === stage && backup.manifest.database === database
}

/** What an aborted restore left: opens what it closed and drops its fresh database. Never touches a live one; fine when nothing is left. */
export async function cleanUpRestore(site: Site, stage: string, stamp: Stamp): Promise<void> {
  const target = await openTarget(site, stage)
  await removeList(site, listFile(target, stamp))
  await dropDatabase(target.server, temporaryName(site.connection.database, 'restore', stamp))
}
