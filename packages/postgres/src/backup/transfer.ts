import { Problem, type Shell } from '@deployfile/core'
import type { Site } from '../site.ts'
import { readArchive, type HashProgress } from './archive.ts'
import { readBackup } from './find.ts'
import { makeFolder, publish } from './folder.ts'
import { formatManifest, manifestPath, type Backup } from './manifest.ts'
import { formatBytes, formatSeconds } from './size.ts'
import { checkSpace } from './space.ts'
import { basename } from 'node:path'

/**
 * Brings a backup from the site's host into a folder of this machine: the transfer is checked by size and sha256, then once more
 * against the manifest, which is written last. What has arrived when it breaks off is kept, and the next download of the same file
 * goes on from there. Gives the copy.
 * @throws Problem `BACKUP_DAMAGED` (task), and those of the shell
 */
export async function downloadBackup(
  site: Site,
  local: Shell,
  backup: Backup,
  folder: string,
): Promise<Backup> {
  const file = `${folder}/${basename(backup.file)}`
  await makeFolder(local, folder)
  if (await hasAlready(local, file, backup)) {
    site.log(`${basename(file)} is here already`)
    return { ...backup, file, on: local.host.name }
  }
  await checkSpace(local, folder, backup.bytes, basename(file))
  const started = Date.now()
  const bytes = await site.shell.downloadFile(backup.file, `${file}.part`, { mode: 0o600, resume: true })
  await refuseOther(local, site.shell.host.name, `${file}.part`, backup, site.progress)
  await publish(local, `${file}.part`, file)
  await local.writeFile(manifestPath(file), formatManifest(backup), { mode: 0o600 })
  site.log(
    `downloaded ${basename(file)} in ${formatSeconds(Date.now() - started)}: ${formatBytes(bytes)}, sha256 ${backup.sha256}`,
  )
  return { ...backup, file, on: local.host.name }
}

/**
 * Puts a backup of this machine into the site's folder of backups, manifest last. Gives the copy; one that is there already stays.
 * @throws Problem `BACKUP_DAMAGED` (task), `DISK_FULL` (check), and those of the shell
 */
export async function uploadBackup(site: Site, backup: Backup): Promise<Backup> {
  const { shell, folder } = site
  const file = `${folder}/${basename(backup.file)}`
  await makeFolder(shell, folder)
  if (await hasAlready(shell, file, backup)) {
    site.log(`${basename(file)} is on ${shell.host.name} already`)
    return { ...backup, file, on: shell.host.name }
  }
  await checkSpace(shell, folder, backup.bytes, basename(file))
  await shell.uploadFile(backup.file, `${file}.part`, { mode: 0o600 })
  await refuseOther(shell, shell.host.name, `${file}.part`, backup, site.progress)
  await publish(shell, `${file}.part`, file)
  await shell.writeFile(manifestPath(file), formatManifest(backup), { mode: 0o600 })
  site.log(`uploaded ${basename(file)} to ${shell.host.name}`)
  return { ...backup, file, on: shell.host.name }
}

/** Puts a file of this machine onto the site's host for a restore, in a folder of its own, which the caller removes. Gives its path there. */
export async function sendBackup(site: Site, file: string, folder: string): Promise<string> {
  const target = `${folder}/${basename(file)}`
  await makeFolder(site.shell, folder)
  await site.shell.uploadFile(file, target, { mode: 0o600 })
  site.log(`uploaded ${basename(file)}`)
  return target
}

/** The same backup, by its manifest: only a whole one has it. */
async function hasAlready(shell: Shell, file: string, backup: Backup): Promise<boolean> {
  const there = await readBackup(shell, file)
  return there?.manifest?.sha256 === backup.sha256
}

async function refuseOther(
  shell: Shell,
  host: string,
  part: string,
  backup: Backup,
  progress: HashProgress,
): Promise<void> {
  const { bytes, sha256 } = await readArchive(shell, part, progress)
  if (bytes === backup.bytes && sha256 === backup.sha256) return
  await shell.remove(part)
  throw new Problem(
    'task',
    'BACKUP_DAMAGED',
    `${basename(backup.file)} arrived with ${bytes} bytes and another sha256 than it was made with`,
    { host, hint: 'Run the command again.' },
  )
}
