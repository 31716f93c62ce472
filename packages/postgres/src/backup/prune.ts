import type { Shell } from '@deployfile/core'
import type { Site } from '../site.ts'
import { basename } from 'node:path'
import { listBackups, type IncompleteBackup } from './list.ts'
import type { Backup } from './manifest.ts'
import { formatBytes } from './size.ts'

/** Which backups stay. Of each database by itself; one that any of the rules keeps is kept. */
export interface Keep {
  /** The newest so many. */
  readonly last?: number
  /** All that are younger. */
  readonly days?: number
  /** Never fewer than the newest so many, whatever their age. Default and least: 1. */
  readonly minimum?: number
}

export interface PruneOptions {
  readonly keep: Keep
  /** Says what would be removed, and removes nothing. */
  readonly dryRun?: boolean
  /** Default: now. */
  readonly now?: Date
}

export interface Pruned {
  readonly removed: readonly (Backup | IncompleteBackup)[]
  readonly kept: readonly Backup[]
}

const DAY_MS = 24 * 60 * 60 * 1000

/** What `keep` says of backups that are listed newest first. Never all of one database, and never its newest. */
export function choosePruned(done: readonly Backup[], keep: Keep, now: Date): readonly Backup[] {
  const { last, days } = keep
  if (last === undefined && days === undefined) return []
  const minimum = Math.max(1, keep.minimum ?? 1, last ?? 0)
  const seen = new Map<string, number>()
  return done.filter((backup) => {
    const database = JSON.stringify([backup.application, backup.stage, backup.database])
    const place = seen.get(database) ?? 0
    seen.set(database, place + 1)
    if (place < minimum) return false
    const age = now.getTime() - Date.parse(backup.createdAt)
    return days === undefined || age > days * DAY_MS
  })
}

// By the host's own clock, and by when it was last written: a dump that is at work is younger than that.
const STALE = `
for file in "$@"; do
  if [ -n "$(find "$file" -prune -mmin +1440)" ]; then printf 'x'; fi
  echo
done
`
const REMOVE = `
for file in "$@"; do rm -f "$file.json" "$file" "$file.part"; done
`
// What a transfer or a manifest had become when its process was killed: under hidden names, so that no list shows them.
const HIDDEN = `
cd "$1" 2>/dev/null || exit 0
for file in .*.pgdump.* .closed_*; do
  if [ -f "$file" ] && [ -n "$(find "$file" -prune -mmin +1440)" ]; then printf '%s %s\\n' "$(wc -c <"$file" | tr -d ' ')" "$file"; fi
done
`

/**
 * Removes the backups of a folder that `keep` does not keep, manifests first, and what was broken off more than a day ago: dumps,
 * downloads, manifests. An archive without a manifest is listed as incomplete and stays: it may be somebody's own.
 */
export async function pruneBackups(
  site: Pick<Site, 'shell' | 'folder' | 'log'> & Partial<Pick<Site, 'progress'>>,
  { keep, dryRun = false, now = new Date() }: PruneOptions,
): Promise<Pruned> {
  const { shell, folder } = site
  const { done, incomplete } = await listBackups(shell, folder)
  const pruned = choosePruned(done, keep, now)
  const stale = [...(await staleOf(shell, incomplete)), ...(await hiddenOf(shell, folder))]
  const removed = [...pruned, ...stale]
  if (dryRun)
    for (const { file, bytes } of removed) site.log(`would remove ${basename(file)} (${formatBytes(bytes)})`)
  else await removeAll(site, removed)
  return { removed, kept: done.filter((backup) => !pruned.includes(backup)) }
}

async function staleOf(
  shell: Shell,
  incomplete: readonly IncompleteBackup[],
): Promise<readonly IncompleteBackup[]> {
  const parts = incomplete.filter(({ file }) => file.endsWith('.part'))
  if (parts.length === 0) return []
  const { stdout } = await shell.script(
    STALE,
    parts.map(({ file }) => file),
    { reads: true },
  )
  const marks = stdout.split('\n')
  return parts.filter((_, index) => marks[index] === 'x')
}

async function hiddenOf(shell: Shell, folder: string): Promise<readonly IncompleteBackup[]> {
  const { stdout } = await shell.script(HIDDEN, [folder], { reads: true })
  return stdout.split('\n').flatMap((line) => {
    const [, bytes, name] = /^(\d+) (.+)$/.exec(line) ?? []
    return name === undefined
      ? []
      : [{ file: `${folder}/${name}`, on: shell.host.name, bytes: Number(bytes) }]
  })
}

/** So many at a time: enough to say how far it is, and few enough round trips. */
const BATCH = 10

async function removeAll(
  { shell, log, progress }: Pick<Site, 'shell' | 'log'> & Partial<Pick<Site, 'progress'>>,
  removed: readonly { readonly file: string; readonly bytes: number }[],
): Promise<void> {
  for (let start = 0; start < removed.length; start += BATCH) {
    const batch = removed.slice(start, start + BATCH)
    await shell.script(
      REMOVE,
      // A hidden one has no others beside it.
      batch.map(({ file }) => (basename(file).startsWith('.') ? file : file.replace(/\.part$/, ''))),
    )
    for (const { file, bytes } of batch) log(`removed ${basename(file)} (${formatBytes(bytes)})`)
    progress?.(start + batch.length, removed.length, { what: 'prune', unit: 'files' })
  }
}
