import { Writable } from 'node:stream'
import { Problem, type Shell } from '@deployfile/core'
import type { Programs } from '../client/programs.ts'
import type { Site } from '../site.ts'

/** What an archive in pg_dump's custom format says of itself, and what the file system does. */
export interface ArchiveFacts {
  readonly bytes: number
  readonly sha256: string
  /** `1.14` is written by PostgreSQL 12 to 15, `1.15` by 16, `1.16` by 17 and later. */
  readonly archiveVersion: string
}

// The hash is made of a file that stays open, and where in it a process stands, Linux tells anybody who may look at that process. It
// is said every second, by another one, so that no hash waits for it.
const FACTS = `# read an archive: size, header, sha256
[ -f "$1" ] || exit 0
sum() { if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi; }
wc -c <"$1"
head -c 11 "$1" | od -An -v -tu1 | tr '\\n' ' '
echo
sum <"$1" &
summing=$!
(
  while sleep 1 >/dev/null 2>&1; do
    at=$(sed -n 's/^pos:[^0-9]*//p' "/proc/$summing/fdinfo/0" 2>/dev/null) || exit 0
    echo "at $at"
  done
) &
telling=$!
status=0
wait "$summing" || status=$?
kill "$telling" 2>/dev/null || true
exit "$status"
`

/** Takes how many bytes of an archive are hashed, and how many there are. */
export type HashProgress = Site['progress']

/**
 * Reads size, sha256 and header of an archive on a host.
 * @throws Problem `BACKUP_NOT_ARCHIVE` (check) for anything else, plain SQL above all: psql would run what stands in it, commands of
 * the shell included (CVE-2025-8714)
 */
export async function readArchive(
  shell: Shell,
  file: string,
  progress: HashProgress = () => undefined,
): Promise<ArchiveFacts> {
  const told: string[] = []
  const output = linesTo((line) => {
    const at = /^at (\d+)$/.exec(line)?.[1]
    if (at === undefined) told.push(line)
    else progress(Number(at), Number(told[0]), { what: 'sha256', unit: 'bytes' })
  })
  await shell.script(FACTS, [file], { reads: true, output })
  const [size = '', header = '', sum = ''] = told
  const bytes = header.trim().split(/\s+/).map(Number)
  const magic = String.fromCharCode(...bytes.slice(0, 5))
  // pg_backup_archiver.c: magic, version in three bytes, two sizes, format; all versions so far are 1.x, and 1 is the custom format.
  if (magic !== 'PGDMP' || bytes[5] !== 1 || bytes[10] !== 1) {
    throw new Problem(
      'check',
      'BACKUP_NOT_ARCHIVE',
      `${file} on ${shell.host.name} is not an archive of pg_dump -Fc`,
      {
        host: shell.host.name,
        hint: 'Only the custom format is restored: make it with db:backup:create, or with pg_dump -Fc.',
      },
    )
  }
  return {
    bytes: Number(size.trim()),
    sha256: sum.slice(0, 64),
    archiveVersion: `${bytes[5]}.${bytes[6] ?? 0}`,
  }
}

/** The first major version whose pg_restore reads an archive. */
export function readableFrom(archiveVersion: string): number {
  const minor = Number(archiveVersion.split('.')[1])
  if (minor <= 14) return 12
  return minor === 15 ? 16 : 17
}

/** Reads every block of an archive, which only this does: a table of contents looks whole also without the last byte. */
export async function readWhole(shell: Shell, programs: Programs, file: string): Promise<void> {
  await shell.run(`${programs.folder}/pg_restore`, ['-f', '/dev/null', file], { reads: true })
}

function linesTo(take: (line: string) => void): Writable {
  let rest = ''
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(take)
      done()
    },
  })
}
