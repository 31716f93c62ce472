import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The longest path of a unix socket that every system takes (sun_path of macOS; Linux has 107 bytes). */
const LONGEST = 103

const folders = new Set<string>()
const removeAll = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** A new folder that only we may enter (0700), for one file. Removed with this process at the latest: a second Ctrl-C waits for nothing. */
export function privateFolder(name: string): { readonly file: string; remove(): void } {
  // mkdtemp adds six characters.
  const fits = Buffer.byteLength(join(tmpdir(), 'deployfile-XXXXXX', name)) <= LONGEST
  const folder = mkdtempSync(join(fits ? tmpdir() : '/tmp', 'deployfile-'))
  if (folders.size === 0) process.once('exit', removeAll)
  folders.add(folder)
  return {
    file: join(folder, name),
    remove() {
      folders.delete(folder)
      if (folders.size === 0) process.removeListener('exit', removeAll)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
