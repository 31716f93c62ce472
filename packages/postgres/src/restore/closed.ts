import { setTimeout as sleep } from 'node:timers/promises'
import type { Shell } from '@deployfile/core'
import * as z from 'zod'
import { identifier } from '../sql/quote.ts'
import { execute, query, type Server } from '../sql/query.ts'
import { temporaryKind } from '../backup/name.ts'
import { isLocked } from './lock.ts'

const recordSchema = z.object({ v: z.literal(1), system: z.string(), oid: z.number(), database: z.string() })

/** A database that is closed to connections while it is swapped. Written before it is closed, so that a killed run can be healed. */
export type ClosedRecord = z.infer<typeof recordSchema>

function recordPath(folder: string, record: ClosedRecord): string {
  return `${folder}/closed_${record.system}_${record.oid}.json`
}

export async function recordClosed(shell: Shell, folder: string, record: ClosedRecord): Promise<void> {
  await shell.writeFile(recordPath(folder, record), `${JSON.stringify(record)}\n`, { mode: 0o600 })
}

export async function forgetClosed(shell: Shell, folder: string, record: ClosedRecord): Promise<void> {
  await shell.remove(recordPath(folder, record))
}

const RECORDS = `
for file in "$1"/closed_*.json; do if [ -f "$file" ]; then head -c 1000 "$file" | tr -d '\\n'; echo; fi; done
`

/** What stands recorded in a folder of backups; costs one command and no connection to a server. */
export async function closedRecords(shell: Shell, folder: string): Promise<readonly ClosedRecord[]> {
  const { stdout } = await shell.script(RECORDS, [folder], { reads: true })
  return stdout.split('\n').flatMap((line) => {
    if (line === '') return []
    try {
      return [recordSchema.parse(JSON.parse(line))]
    } catch {
      return []
    }
  })
}

/**
 * Opens databases that a restore closed and could not open again because it was killed. A database that the swap has put aside stays
 * closed: it waits to be dropped. One that a living restore has closed is its own. Gives the names of those that were closed.
 */
export async function reopenClosed(server: Server, system: string): Promise<readonly string[]> {
  const { site } = server
  const opened: string[] = []
  for (const record of await leftRecords(server, system)) {
    const name = await reopen(server, record)
    if (name !== undefined) {
      opened.push(name)
      site.log(`opened the database ${name} again, which a restore had left closed`)
    }
    await forgetClosed(site.shell, site.folder, record)
  }
  return opened
}

/** A swap takes milliseconds, and so does the end of a killed restore's session: what is locked for longer is somebody's. */
const PATIENCE = 5_000

/** The records of restores that are over. */
async function leftRecords(server: Server, system: string): Promise<readonly ClosedRecord[]> {
  const { site } = server
  const late = Date.now() + PATIENCE
  for (;;) {
    const records = (await closedRecords(site.shell, site.folder)).filter((one) => one.system === system)
    const locked = await Promise.all(records.map(({ database }) => isLocked(server, database)))
    if (Date.now() > late || !locked.includes(true))
      return records.filter((_, index) => locked[index] === false)
    await sleep(100, undefined, { signal: site.signal })
  }
}

/** By oid, because the name may have moved on. Gives the name of a database that was closed and is open now. */
export async function reopen(server: Server, record: ClosedRecord): Promise<string | undefined> {
  const [row] = await query<{ name: string }>(
    server,
    `SELECT json_build_object('name', datname) FROM pg_catalog.pg_database WHERE oid = ${record.oid} AND NOT datallowconn`,
  )
  if (!row || temporaryKind(row.name, record.database) !== undefined) return undefined
  await execute(server, `ALTER DATABASE ${identifier(row.name)} WITH ALLOW_CONNECTIONS true;`)
  return row.name
}
