import { didYouMean, Problem, type Shell } from '@deployfile/core'
import { basename } from 'node:path'
import { listBackups } from './list.ts'
import { manifestPath, parseManifest, type BackupManifest } from './manifest.ts'

/** An archive on a host, with what its manifest says when it has one. */
export interface FoundBackup {
  readonly file: string
  readonly manifest: BackupManifest | undefined
}

/**
 * Finds what `file=` means in one folder: `latest` (the newest whole backup), or a name. Undefined when the folder has no such thing.
 */
export async function findBackup(
  shell: Shell,
  folder: string,
  wanted: string,
): Promise<FoundBackup | undefined> {
  if (wanted === 'latest') {
    const [newest] = (await listBackups(shell, folder)).done
    return newest && { file: newest.file, manifest: newest }
  }
  const name = wanted.endsWith('.pgdump') ? wanted : `${wanted}.pgdump`
  for (const candidate of new Set([wanted, name])) {
    const found = await readBackup(shell, `${folder}/${candidate}`)
    if (found) return found
  }
  return undefined
}

/** An archive by its path; undefined when there is no such file. */
export async function readBackup(shell: Shell, file: string): Promise<FoundBackup | undefined> {
  if (file.endsWith('.part') || !(await shell.exists(file))) return undefined
  const path = manifestPath(file)
  const manifest = (await shell.exists(path)) ? parseManifest(await shell.readFile(path)) : undefined
  return { file, manifest }
}

/** Says which backups there are, when the one that was asked for is not among them. */
export async function backupNotFound(
  shell: Shell,
  folders: readonly string[],
  wanted: string,
): Promise<Problem> {
  const names: string[] = []
  for (const folder of folders) {
    const { done } = await listBackups(shell, folder)
    names.push(...done.map((backup) => basename(backup.file)))
  }
  const hint =
    names.length === 0
      ? 'There are no backups in it yet: make one with db:backup:create.'
      : (didYouMean(wanted, names) ?? `The newest there is ${names[0] ?? ''}; db:backup:list shows all.`)
  const what = wanted === 'latest' ? 'no backup' : `no backup '${wanted}'`
  const message = `there is ${what} in ${folders.join(' or ')} on ${shell.host.name}`
  return new Problem('check', 'BACKUP_NOT_FOUND', message, { host: shell.host.name, hint })
}
