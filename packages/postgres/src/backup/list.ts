import type { Shell } from '@deployfile/core'
import { manifestPath, parseManifest, type Backup } from './manifest.ts'

/** An archive without a whole manifest: still being written, left by a run that was killed, or put there by hand. */
export interface IncompleteBackup {
  readonly file: string
  readonly on: string
  readonly bytes: number
}

export interface BackupListing {
  /** Newest first, by the time in the manifest; never by the file's own time, which copying changes. */
  readonly done: readonly Backup[]
  readonly incomplete: readonly IncompleteBackup[]
}

/** So many manifests fit into what a shell captures of one command (1 MiB). */
const BATCH = 300

const FILES = `
cd "$1" 2>/dev/null || exit 0
for file in *.pgdump *.pgdump.part; do
  if [ -f "$file" ]; then printf '%s %s\\n' "$(wc -c <"$file" | tr -d ' ')" "$file"; fi
done
`
const MANIFESTS = `
for file in "$@"; do
  if [ -f "$file" ]; then head -c 3000 "$file" | tr -d '\\n'; fi
  echo
done
`

/** The backups of a folder, from their manifests alone: no archive is opened. */
export async function listBackups(shell: Shell, folder: string): Promise<BackupListing> {
  const { stdout } = await shell.script(FILES, [folder], { reads: true })
  const files = stdout
    .split('\n')
    .map((line) => /^(\d+) (.+)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ bytes: Number(match[1]), file: `${folder}/${match[2] ?? ''}` }))
  const on = shell.host.name
  const done: Backup[] = []
  const incomplete: IncompleteBackup[] = []
  for (let start = 0; start < files.length; start += BATCH) {
    const batch = files.slice(start, start + BATCH)
    const texts = await shell.script(
      MANIFESTS,
      batch.map((entry) => manifestPath(entry.file)),
      { reads: true },
    )
    const lines = texts.stdout.split('\n')
    for (const [index, { file, bytes }] of batch.entries()) {
      const manifest = parseManifest(lines[index] ?? '')
      if (manifest && manifest.bytes === bytes) done.push({ ...manifest, file, on })
      else incomplete.push({ file, on, bytes })
    }
  }
  done.sort((a, b) => b.createdAt.localeCompare(a.createdAt))
  return { done, incomplete }
}
