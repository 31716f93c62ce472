import { readIdentity } from '../identity/identity.ts'
import type { Site } from '../site.ts'
import { openServer } from '../sql/query.ts'
import { closedRecords, reopenClosed } from './closed.ts'
import { MAINTENANCE } from './target.ts'

/**
 * For the start of every command on a database's host: opens what a killed restore left closed there. Looks into the folder of backups
 * only, and connects to the server when there is something to open. That it could not is said, and is not the command's fault.
 */
export async function healSite(site: Site): Promise<void> {
  if ((await closedRecords(site.shell, site.folder)).length === 0) return
  try {
    const server = await openServer(site, { readOnly: false, databases: MAINTENANCE })
    const identity = await readIdentity(server, site.connection.database)
    if (identity) await reopenClosed(server, identity.system)
  } catch (error) {
    site.signal.throwIfAborted()
    site.log(
      `warning: a restore left a database closed: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
