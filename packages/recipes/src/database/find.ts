import { isAbsolute, join } from 'node:path'
import type { BaseContext } from '@deployfile/core'
import { backupNotFound, findBackup, readBackup, type FoundBackup, type Site } from '@deployfile/postgres'
import type { Settings } from './settings.ts'
import { folderHere } from './site.ts'

/** What `file=` means, and which machine has it. */
export interface Found {
  readonly backup: FoundBackup
  /** True for a file of this machine that the stage's host does not have. */
  readonly here: boolean
}

/**
 * A name is looked for in the folder of backups of the stage's host, then in the one of this machine; a path is one of this machine.
 * @throws Problem `BACKUP_NOT_FOUND` (check)
 */
export async function find(
  settings: Settings,
  context: BaseContext,
  site: Site,
  wanted: string,
): Promise<Found> {
  const { local, run } = context
  const remote = site.shell.host.transport !== 'local'
  const path = isAbsolute(wanted) ? wanted : join(run.root, wanted)
  const folder = folderHere(settings, context)
  if (!wanted.includes('/')) {
    const there = await findBackup(site.shell, site.folder, wanted)
    if (there) return { backup: there, here: false }
    const here = remote ? await findBackup(local, folder, wanted) : undefined
    if (here) return { backup: here, here: true }
  }
  const backup = wanted === 'latest' ? undefined : await readBackup(local, path)
  if (backup) return { backup, here: remote }
  if (wanted.includes('/')) throw await backupNotFound(local, [folder], wanted)
  throw await backupNotFound(site.shell, [site.folder], wanted)
}

export function describe({ file, manifest }: FoundBackup): string {
  if (!manifest) return `the content of ${file}, of which nothing more is known`
  return `the backup of ${manifest.stage} (${manifest.database}) from ${manifest.createdAt}`
}
