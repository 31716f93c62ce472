import { Problem, type Shell } from '@deployfile/core'
import type { Site } from '../site.ts'
import { makeFolder, publish } from './folder.ts'
import { formatManifest, manifestPath, type Backup } from './manifest.ts'
import { formatBytes } from './size.ts'
import { basename } from 'node:path'

/**
 * Brings a backup from the site's host into a folder of this machine: the transfer is checked by size and sha256, then once more
 * against the manifest. Gives the copy.
 * @throws Problem `BACKUP_DAMAGED` (task), and those of the shell
 */
export async function fetchBackup(site: Site, local: Shell, backup: Backup, folder: string): Promise<Backup> {
  const file = `${folder}/${basename(backup.file)}`
  await makeFolder(local, folder)
  const bytes = await site.shell.downloadFile(backup.file, `${file}.part`, { mode: 0o600 })
  const sum = await sha256(local, `${file}.part`)
  if (bytes !== backup.bytes || sum !== backup.sha256) {
    await local.remove(`${file}.part`)
    throw new Problem(
      'task',
      'BACKUP_DAMAGED',
      `${basename(file)} arrived with ${bytes} bytes and another sha256 than it was made with`,
      {
        host: site.shell.host.name,
        hint: 'Run the command again.',
      },
    )
  }
  await publish(local, `${file}.part`, file)
  await local.writeFile(manifestPath(file), formatManifest(backup), { mode: 0o600 })
  site.log(`downloaded ${basename(file)}: ${formatBytes(bytes)}`)
  return { ...backup, file, on: local.host.name }
}

/** Puts a backup of this machine onto the site's host, in a folder of its own, which the caller removes. Gives its path there. */
export async function sendBackup(site: Site, file: string, folder: string): Promise<string> {
  const target = `${folder}/${basename(file)}`
  await makeFolder(site.shell, folder)
  await site.shell.uploadFile(file, target, { mode: 0o600 })
  site.log(`uploaded ${basename(file)}`)
  return target
}

async function sha256(shell: Shell, file: string): Promise<string> {
  const { stdout } = await shell.script(
    'if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi',
    [file],
    { reads: true },
  )
  return stdout.slice(0, 64)
}
