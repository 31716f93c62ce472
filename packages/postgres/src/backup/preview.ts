import { readIdentity } from '../identity/identity.ts'
import { readLive } from '../restore/live.ts'
import { hostOf, type Site } from '../site.ts'
import { openServer, query, type Server } from '../sql/query.ts'
import { literal } from '../sql/quote.ts'
import { backupFile } from './create.ts'
import type { Backup } from './manifest.ts'
import type { BackupLabel, Stamp } from './name.ts'
import { formatBytes } from './size.ts'

/**
 * What a backup would be, for a dry run: the server is asked for the size of the database, and nothing is written. What only a dump
 * can know (sha256, its tables) is empty.
 * @throws Problem `PG_CLIENT_MISSING`, `DATABASE_UNREACHABLE` (check)
 */
export async function previewBackup(
  site: Site,
  label: Omit<BackupLabel, 'database'>,
  stamp: Stamp,
): Promise<Backup> {
  const { database } = site.connection
  const server = await openServer(site, { readOnly: true, databases: [database] })
  const identity = await readIdentity(server, database)
  const file = backupFile(site, label, stamp)
  const host = site.shell.host.name
  const bytes = await sizeOf(server, database)
  site.log(
    `would dump ${database} of ${label.stage} (${formatBytes(bytes)} on the server) to ${file} on ${host}`,
  )
  const now = new Date().toISOString()
  return {
    ...{ v: 1, status: 'done', ...label, database, host, file, on: host, bytes },
    ...{ identity: identity?.oid === null ? null : (identity as Backup['identity']) },
    ...{ createdAt: now, finishedAt: now, serverVersion: server.version, clientVersion: '' },
    ...{ archiveVersion: '', format: 'custom', compress: 'zlib:1' },
    ...{ sha256: '', tocEntries: 0, tables: 0, extensions: [] },
  }
}

/** Says onto what a restore would go, with what would be lost. */
export async function previewRestore(site: Site, server: Server, source: string): Promise<void> {
  const { database } = site.connection
  const live = await readLive(server, database)
  const lost = live ? `${formatBytes(await sizeOf(server, database))} on the server now` : 'not there yet'
  site.log(`would restore ${source} onto ${database} on ${hostOf(site).name} (${lost})`)
}

async function sizeOf(server: Server, database: string): Promise<number> {
  const [row] = await query<{ bytes: number }>(
    server,
    `SELECT json_build_object('bytes', pg_catalog.pg_database_size(${literal(database)}))`,
  )
  return row?.bytes ?? 0
}
