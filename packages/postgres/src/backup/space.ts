import { Problem, type Shell } from '@deployfile/core'
import { formatBytes } from './size.ts'

const FREE = `df -Pk "$1" | awk 'NR > 1 { print $4 }'`

/** Bytes that are free where a folder is; undefined where the host does not tell. */
export async function freeSpace(shell: Shell, folder: string): Promise<number | undefined> {
  const { stdout } = await shell.script(FREE, [folder], { reads: true })
  const blocks = Number(stdout.trim())
  return stdout.trim() === '' || Number.isNaN(blocks) ? undefined : blocks * 1024
}

/**
 * Refuses what would only fill the disk. `bytes` is an estimate, and is called so.
 * @throws Problem `DISK_FULL` (check)
 */
export async function checkSpace(shell: Shell, folder: string, bytes: number, what: string): Promise<void> {
  const free = await freeSpace(shell, folder)
  if (free === undefined || free >= bytes) return
  throw new Problem(
    'check',
    'DISK_FULL',
    `${what} needs about ${formatBytes(bytes)} in ${folder} on ${shell.host.name}, where ${formatBytes(free)} are free`,
    {
      host: shell.host.name,
      hint: 'Make room there; db:backup:prune removes old backups. Nothing was changed.',
    },
  )
}
