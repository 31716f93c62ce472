import { isProblem, Problem } from '@deployfile/core'
import { basename } from 'node:path'
import {
  readableFrom,
  readArchive,
  readContents,
  readWhole,
  writeList,
  type Contents,
} from '../backup/archive.ts'
import type { FoundBackup } from '../backup/find.ts'
import { formatBytes } from '../backup/size.ts'
import { choosePrograms, type Programs } from '../client/programs.ts'
import type { Server } from '../sql/query.ts'

/**
 * Proves an archive before anything is touched: header, size and sha256 against the manifest (without one: every block is read), its
 * table of contents; and writes the list of entries to restore.
 * @throws Problem `BACKUP_DAMAGED`, `BACKUP_NOT_ARCHIVE`, `PG_CLIENT_TOO_OLD` (check)
 */
export async function checkFile(
  server: Server,
  { file, manifest }: FoundBackup,
  list: string,
): Promise<{ programs: Programs; contents: Contents }> {
  const { site } = server
  const facts = await readArchive(site.shell, file)
  if (manifest && (manifest.sha256 !== facts.sha256 || manifest.bytes !== facts.bytes)) {
    const how =
      manifest.bytes === facts.bytes
        ? 'its sha256 is not the one of its manifest'
        : `it has ${facts.bytes} bytes, its manifest says ${manifest.bytes}`
    throw new Problem('check', 'BACKUP_DAMAGED', `the backup ${file} is damaged: ${how}`, {
      host: site.shell.host.name,
      hint: 'Nothing was changed. Make or copy the backup again.',
    })
  }
  const major = Math.max(server.major, readableFrom(facts.archiveVersion))
  const why = `the archive has the format ${facts.archiveVersion} and the server is PostgreSQL ${server.version}`
  const programs = choosePrograms(server.programs, major, site.shell.host.name, why)
  try {
    if (!manifest) {
      site.log(
        `${basename(file)} has no manifest, so its hash is unknown; reading all of it (${formatBytes(facts.bytes)})`,
      )
      await readWhole(site.shell, programs, file)
    }
    const contents = await readContents(site.shell, programs, file, `${list}.toc`)
    await writeList(site.shell, programs, file, list)
    return { programs, contents }
  } catch (error) {
    if (!isProblem(error) || error.code !== 'COMMAND_FAILED') throw error
    const said = error.details.command?.tail.join('\n') ?? ''
    throw new Problem('check', 'BACKUP_DAMAGED', `the backup ${file} cannot be read: ${said}`, {
      host: site.shell.host.name,
      hint: 'Nothing was changed. Make or copy the backup again.',
    })
  }
}
