import { createBackup } from '../backup/create.ts'
import { allOf } from '../backup/contents.ts'
import { newStamp, type Stamp } from '../backup/name.ts'
import { logOf } from '../client/restore.ts'
import type { Site } from '../site.ts'
import { dropLeftovers, removeLeftovers } from './leftovers.ts'
import { lockDatabase, lockKey, type DatabaseLock } from './lock.ts'
import type { ReplaceOrder } from './order.ts'
import type { Readiness } from './preflight.ts'
import type { Target } from './target.ts'

/** What a restore has while it is the only one of its database. */
export interface Held {
  readonly lock: DatabaseLock
  /** A file on the host that is not there yet, for the list of entries to restore; removed afterwards. */
  readonly list: string
  /** The backup that was made of the live database first. */
  readonly safety: string | undefined
}

/**
 * Does the work of a restore while no other restore of the database is done: what is live is backed up where that is wanted, and what
 * killed restores left is removed, before; the list and the lock go afterwards, whatever becomes of it.
 * @throws Problem `RESTORE_RUNNING` (check), those of {@link createBackup}, and what the work throws
 */
export async function exclusively<T>(
  target: Target,
  order: ReplaceOrder,
  ready: Pick<Readiness, 'strategy'> & { readonly forceSafety: boolean },
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const { server } = target
  const { site } = server
  const { database } = site.connection
  const lock = await lockDatabase(server, database)
  const list = listFile(target, order.stamp)
  try {
    const safety = await makeSafe(site, order, target, ready)
    await dropLeftovers(server, database)
    await removeLeftovers(site, `${listPrefix(target)}*`)
    return await work({ lock, list, safety })
  } finally {
    await letGo(site, () => (site.signal.aborted ? Promise.resolve() : removeList(site, list)))
    await letGo(site, () => lock.release())
  }
}

export async function removeList({ shell }: Site, list: string): Promise<void> {
  await shell.script('rm -f "$@"', [list, allOf(list), logOf(list)])
}

/** Of one database of one server, so that whoever has its lock knows whose they are. */
function listPrefix({ facts }: Target): string {
  const { system = '' } = facts.identity ?? {}
  return `restore_${system}_${lockKey(facts.database).toString(36)}_`
}

export function listFile(target: Target, { time, hex }: Stamp): string {
  return `${target.server.site.folder}/${listPrefix(target)}${time}_${hex}.list`
}

/** A backup of what is live, where the restore could not be taken back or the config asks for it. Gives its path. */
async function makeSafe(
  site: Site,
  { application = 'safety', stage, choices }: ReplaceOrder,
  { live }: Target,
  { strategy, forceSafety }: Pick<Readiness, 'strategy'> & { readonly forceSafety: boolean },
): Promise<string | undefined> {
  const wanted = forceSafety || strategy === 'in-place' || choices?.safetyBackup === true
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
