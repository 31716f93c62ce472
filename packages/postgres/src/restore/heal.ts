import { isProblem, type Finding } from '@deployfile/core'
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
    await openAgain(site)
  } catch (error) {
    site.signal.throwIfAborted()
    site.log(
      `warning: a restore left a database closed: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** The same for `deployfile doctor`: what was found of the site's database, and what has become of it. */
export async function examineSite(site: Site): Promise<Finding> {
  const { database } = site.connection
  const what = database
  const well: Finding = { what, state: 'well', said: 'no killed restore has left it closed' }
  const records = await closedRecords(site.shell, site.folder)
  if (!records.some((record) => record.database === database)) return well
  try {
    if (!(await openAgain(site)).includes(database)) return well
    return {
      ...{ what, state: 'doubtful' },
      said: 'a killed restore had left it closed to connections; it is open again now',
      hint: 'What the restore was to bring is not in it: run it again when it is still wanted.',
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const more = isProblem(error) && error.details.hint !== undefined ? ` ${error.details.hint}` : ''
    const sql = `ALTER DATABASE "${database.replaceAll('"', '""')}" WITH ALLOW_CONNECTIONS true`
    return {
      ...{ what, state: 'wrong' },
      said: `a killed restore left it closed to connections, and it could not be opened: ${why}`,
      hint: `Look again, or open it as its owner, in the database postgres of its server: ${sql};${more}`,
    }
  }
}

async function openAgain(site: Site): Promise<readonly string[]> {
  const server = await openServer(site, { readOnly: false, databases: MAINTENANCE })
  const identity = await readIdentity(server, site.connection.database)
  return identity ? reopenClosed(server, identity.system) : []
}
