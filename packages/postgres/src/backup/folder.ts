import type { Shell } from '@deployfile/core'

// `mkdir -p -m` would set the mode of the last folder only, and nothing of a folder that is there already.
const MAKE = `
umask 077
mkdir -p "$1"
chmod 700 "$1"
parent=$(dirname "$1")
if [ "$(basename "$parent")" = .deployfile ] && [ ! -e "$parent/.gitignore" ]; then echo '*' >"$parent/.gitignore"; fi
`

/** Makes the folder of backups: 0700, because they hold what production holds. Our own `.deployfile` keeps itself out of git. */
export async function makeFolder(shell: Shell, folder: string): Promise<void> {
  await shell.script(MAKE, [folder])
}

/** Creates an empty file that nobody else can read, and fails when there is one already. */
export async function reserve(shell: Shell, file: string): Promise<void> {
  await shell.script('umask 077; set -C; : >"$1"', [file])
}

const PUBLISH = `
if [ -e "$2" ]; then echo "$2 exists already" >&2; exit 1; fi
sync "$1" 2>/dev/null || sync
mv "$1" "$2"
sync "$(dirname "$2")" 2>/dev/null || sync
`

/** Gives a complete file its final name, after the disk has it. */
export async function publish(shell: Shell, part: string, file: string): Promise<void> {
  await shell.script(PUBLISH, [part, file])
}
