import { choosePrograms } from '../client/programs.ts'
import { chooseCompression, type DumpChoices } from '../client/choices.ts'
import { dumpTo } from '../client/dump.ts'
import { readIdentity } from '../identity/identity.ts'
import { hostOf, type Site } from '../site.ts'
import { openServer } from '../sql/query.ts'
import { readArchive } from './archive.ts'
import { readContents } from './contents.ts'
import { listBackups } from './list.ts'
import { checkSpace } from './space.ts'
import { makeFolder, publish, reserve } from './folder.ts'
import { formatManifest, manifestPath, type Backup, type BackupManifest } from './manifest.ts'
import { checkContents, measure } from './measure.ts'
import { backupName, type BackupLabel, type Stamp } from './name.ts'
import { countTables, formatBytes, formatSeconds } from './size.ts'

/** Where a backup of a stamp will be; its `.part` beside it while it grows. */
export function backupFile(site: Site, label: Omit<BackupLabel, 'database'>, stamp: Stamp): string {
  return `${site.folder}/${backupName({ ...label, database: site.connection.database }, stamp)}`
}

/**
 * Dumps the site's database into its folder of backups: preflight, `.part`, sha256, table of contents, sync, rename, manifest last.
 * The database is only read. A failure leaves nothing behind, unless the signal was aborted: then call {@link discardBackup}.
 * @throws Problem `PG_CLIENT_MISSING`, `PG_CLIENT_TOO_OLD`, `DATABASE_UNREACHABLE` (check), `BACKUP_EMPTY`,
 * `DATABASE_COMMAND_FAILED` (task)
 */
export async function createBackup(
  site: Site,
  label: Omit<BackupLabel, 'database'>,
  stamp: Stamp,
  choices: DumpChoices = {},
): Promise<Backup> {
  const createdAt = new Date()
  const server = await openServer(site, { readOnly: true, databases: [site.connection.database] })
  const host = site.shell.host.name
  const why = `the server of ${site.connection.database} is PostgreSQL ${server.version}`
  const programs = choosePrograms(server.programs, server.major, host, why)
  const { argument, told } = chooseCompression(choices.compress, programs.major)
  const identity = await readIdentity(server, site.connection.database)
  const { plain: userTables, bytes: databaseBytes } = await measure(server)
  const file = backupFile(site, label, stamp)
  const part = `${file}.part`
  await makeFolder(site.shell, site.folder)
  const estimate = await expectSpace(site, label, databaseBytes, choices)
  await reserve(site.shell, part)
  try {
    await dumpTo(server, programs, { file: part, compress: argument, choices, estimate })
    const facts = await readArchive(site.shell, part, site.progress)
    const contents = await readContents(site.shell, programs, part)
    if (choices.schemaOnly !== true) checkContents(site, userTables, contents.tablesWithData)
    const manifest: BackupManifest = {
      ...{ v: 1, status: 'done', ...label, database: site.connection.database, host: hostOf(site).name },
      ...{ identity: identity?.oid === null ? null : (identity as BackupManifest['identity']) },
      ...{ createdAt: createdAt.toISOString(), finishedAt: new Date().toISOString() },
      ...{
        serverVersion: server.version,
        clientVersion: programs.version,
        format: 'custom',
        compress: told,
      },
      ...facts,
      ...{ tocEntries: contents.entries, tables: contents.tables, extensions: [...contents.extensions] },
      databaseBytes,
      ...leftOut(choices),
    }
    await publish(site.shell, part, file)
    await site.shell.writeFile(manifestPath(file), formatManifest(manifest), { mode: 0o600 })
    site.log(
      `dumped ${manifest.database} in ${formatSeconds(Date.now() - createdAt.getTime())}: ${formatBytes(manifest.bytes)}, ${countTables(manifest.tables)}, sha256 ${manifest.sha256}`,
    )
    return { ...manifest, file, on: host }
  } catch (error) {
    // What cannot be removed now stays as `.part`, which nothing takes for a backup; the first error is the one to show.
    if (!site.signal.aborted) await discardBackup(site, file).catch(() => undefined)
    throw error
  }
}

/** Removes a backup that did not become whole: without a manifest it is not one. Fine when there is nothing. */
export async function discardBackup(site: Site, file: string): Promise<void> {
  await site.shell.script('rm -f "$1.part"; if [ ! -e "$1.json" ]; then rm -f "$1"; fi', [file])
}

/** Removes a backup and its manifest, manifest first, so that no file is ever trusted by half. */
export async function removeBackup(site: Site, file: string): Promise<void> {
  await site.shell.script('rm -f "$1.json" "$1" "$1.part"', [file])
}

/** What the last backup of this database took, and a little more; without one, what archives of most databases take at least. Gives
 * what the file may have. */
async function expectSpace(
  site: Site,
  { application, stage }: Omit<BackupLabel, 'database'>,
  databaseBytes: number,
  choices: DumpChoices,
): Promise<number> {
  const { database } = site.connection
  const { done } = await listBackups(site.shell, site.folder)
  const last = done.find(
    (one) =>
      one.database === database &&
      one.application === application &&
      one.stage === stage &&
      !one.excluded === !leftOut(choices).excluded,
  )
  const bytes = Math.round(last ? last.bytes * 1.1 : databaseBytes * 0.15)
  await checkSpace(site.shell, site.folder, bytes, `the backup of ${database}`)
  site.log(
    `dumping ${database}: ${formatBytes(databaseBytes)} on the server, about ${formatBytes(bytes)} as a file (estimated)`,
  )
  return last?.bytes ?? bytes
}

function leftOut({ excludeTables = [], excludeTableData = [], schemaOnly = false }: DumpChoices): {
  excluded?: NonNullable<BackupManifest['excluded']>
} {
  if (excludeTables.length + excludeTableData.length === 0 && !schemaOnly) return {}
  return { excluded: { tables: [...excludeTables], data: [...excludeTableData], rows: schemaOnly } }
}
