import { isProblem, Problem, type Shell } from '@deployfile/core'
import { basename } from 'node:path'
import { choosePrograms, findPrograms, type Programs } from '../client/programs.ts'
import type { Site } from '../site.ts'
import { readableFrom, readArchive, readWhole, type ArchiveFacts } from './archive.ts'
import { readContents, type Contents } from './contents.ts'
import type { FoundBackup } from './find.ts'
import { formatBytes } from './size.ts'

export interface VerifiedBackup extends ArchiveFacts, Contents {
  readonly file: string
  readonly host: string
  /** True when every block was read and not only the hash compared. */
  readonly deep: boolean
}

/**
 * Proves a backup where it lies: header, size and sha256 against the manifest, table of contents; with `deep`, or without a manifest,
 * every block is read as a restore would. No server is asked.
 * @throws Problem `BACKUP_DAMAGED`, `BACKUP_NOT_ARCHIVE`, `PG_CLIENT_MISSING`, `PG_CLIENT_TOO_OLD` (check)
 */
export async function verifyBackup(
  site: Pick<Site, 'shell' | 'signal' | 'log'> & Partial<Pick<Site, 'progress'>>,
  backup: FoundBackup,
  { deep = false }: { readonly deep?: boolean } = {},
): Promise<VerifiedBackup> {
  const { shell } = site
  const facts = await compareHash(site, backup)
  const programs = choosePrograms(
    await findPrograms(shell),
    readableFrom(facts.archiveVersion),
    shell.host.name,
    `the archive has the format ${facts.archiveVersion}`,
  )
  const whole = deep || backup.manifest === undefined
  const contents = await readThrough(site, programs, backup, facts, whole)
  return { ...facts, ...contents, file: backup.file, host: shell.host.name, deep: whole }
}

/** @throws Problem `BACKUP_DAMAGED`, `BACKUP_NOT_ARCHIVE` (check) */
export async function compareHash(
  { shell, progress }: Pick<Site, 'shell'> & Partial<Pick<Site, 'progress'>>,
  { file, manifest }: FoundBackup,
): Promise<ArchiveFacts> {
  const facts = await readArchive(shell, file, progress)
  if (!manifest || (manifest.sha256 === facts.sha256 && manifest.bytes === facts.bytes)) return facts
  const how =
    manifest.bytes === facts.bytes
      ? 'its sha256 is not the one of its manifest'
      : `it has ${facts.bytes} bytes, its manifest says ${manifest.bytes}`
  throw damaged(shell, `the backup ${file} is damaged: ${how}`)
}

/** The table of contents; `whole`: after every block has been read, which says what the contents alone cannot. */
export async function readThrough(
  { shell, log }: Pick<Site, 'shell' | 'log'>,
  programs: Programs,
  { file, manifest }: FoundBackup,
  { bytes }: ArchiveFacts,
  whole: boolean,
): Promise<Contents> {
  try {
    if (whole) {
      const why = manifest ? '' : 'has no manifest, so its hash is unknown; '
      log(`${basename(file)}: ${why}reading all of it (${formatBytes(bytes)})`)
      await readWhole(shell, programs, file)
    }
    return await readContents(shell, programs, file)
  } catch (error) {
    if (!isProblem(error) || error.code !== 'COMMAND_FAILED') throw error
    throw damaged(shell, `the backup ${file} cannot be read: ${error.details.command?.tail.join('\n') ?? ''}`)
  }
}

function damaged({ host }: Shell, message: string): Problem {
  return new Problem('check', 'BACKUP_DAMAGED', message, {
    host: host.name,
    hint: 'Nothing was changed. Make or copy the backup again.',
  })
}
