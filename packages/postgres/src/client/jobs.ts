import type { Shell } from '@deployfile/core'

/** More than this many workers stand in each other's way on the disk. */
const MOST = 4

/** How many tables to restore at once: one a processor of the host. */
export async function countJobs(shell: Shell): Promise<number> {
  const { stdout } = await shell.script('getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1', [], {
    reads: true,
  })
  return Math.min(MOST, Math.max(1, Number(stdout.trim()) || 1))
}
