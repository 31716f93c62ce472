import { compareHash, readThrough } from '../backup/verify.ts'
import { readableFrom } from '../backup/archive.ts'
import type { Contents, Counts } from '../backup/contents.ts'
import type { FoundBackup } from '../backup/find.ts'
import { mayTell } from '../client/entries.ts'
import { choosePrograms, type Programs } from '../client/programs.ts'
import type { Server } from '../sql/query.ts'

export interface CheckedArchive {
  readonly programs: Programs
  readonly contents: Contents
  /** Of the file. */
  readonly bytes: number
  readonly sha256: string
  /** It is short enough for pg_restore to say each entry as it comes. */
  readonly tells: boolean
}

/**
 * Proves an archive before anything is touched: header, size and sha256 against the manifest (without one, or with `deep`: every block
 * is read), its table of contents; and chooses the programs that read it and know the server.
 * @throws Problem `BACKUP_DAMAGED`, `BACKUP_NOT_ARCHIVE`, `PG_CLIENT_TOO_OLD` (check)
 */
export async function checkFile(server: Server, backup: FoundBackup): Promise<CheckedArchive> {
  const { site } = server
  const facts = await compareHash(site, backup)
  const major = Math.max(server.major, readableFrom(facts.archiveVersion))
  const why = `the archive has the format ${facts.archiveVersion} and the server is PostgreSQL ${server.version}`
  const programs = choosePrograms(server.programs, major, site.shell.host.name, why)
  const contents = await readThrough(site, programs, backup, facts, !backup.manifest)
  return {
    programs,
    contents,
    bytes: facts.bytes,
    sha256: facts.sha256,
    tells: tellsEach(contents, readableFrom(facts.archiveVersion)),
  }
}

/**
 * Whether pg_restore may say each entry of an archive as it comes.
 * @param major the version of the pg_dump that wrote it, or the first that reads it
 */
export function tellsEach({ entries, largeObjects }: Counts, major: number): boolean {
  // Since 17 an entry holds up to a thousand large objects.
  return mayTell(entries, largeObjects * (major >= 17 ? 1000 : 1))
}
