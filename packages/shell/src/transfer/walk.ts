import { lstatSync, readdirSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { Problem } from '@deployfile/core'
import { localFault } from './failure.ts'

/** What travels in a tree. Names are bytes: a file system need not hold UTF-8. */
export interface Entry {
  /** From the root of the tree: `.`, `./a/b`. */
  readonly name: Buffer
  readonly folder: boolean
  /** Bytes of content. */
  readonly size: number
}

/** Entries looked at before others get their turn; each costs some microseconds. */
const AT_ONCE = 500

/**
 * All of a tree but what `leaveOut` names (folders with a slash at the end, from the root, without `./`): sorted, links not followed;
 * each folder right before all that is in it, because tar sets a folder's time as soon as something comes that is not.
 * @throws Problem of {@link localFault}; `WRONG_KIND` (task) for sockets, FIFOs and devices
 */
export async function walk(root: string, leaveOut: (path: string) => boolean): Promise<Entry[]> {
  const all: Entry[] = []
  const waiting: Buffer[] = [Buffer.from('.')]
  // A second name of the same file travels as a link to the first.
  const seen = new Set<string>()
  const base = Buffer.from(`${root}/`)
  let looked = 0
  for (let folder = waiting.pop(); folder; folder = waiting.pop()) {
    all.push({ name: folder, folder: true, size: 0 })
    const inside: Buffer[] = []
    for (const name of namesIn(root, folder)) {
      if (++looked % AT_ONCE === 0) await breathe()
      const path = Buffer.concat([folder, SLASH, name])
      const shown = path.subarray(2).toString()
      let found
      try {
        found = lstatSync(Buffer.concat([base, path]))
      } catch (cause) {
        throw localFault(`${root}/${shown}`, 'read', cause)
      }
      const isFolder = found.isDirectory()
      if (leaveOut(isFolder ? `${shown}/` : shown)) continue
      if (!isFolder && !found.isFile() && !found.isSymbolicLink()) {
        throw new Problem(
          'task',
          'WRONG_KIND',
          `this machine: ${root}/${shown} cannot travel: it is no file, folder or link`,
          { path: `${root}/${shown}`, hint: `Remove it, or leave it out: exclude: ['/${shown}']` },
        )
      }
      if (isFolder) {
        inside.push(path)
        continue
      }
      const id = found.nlink > 1 ? `${found.dev}:${found.ino}` : undefined
      const again = id !== undefined && found.isFile() && seen.has(id)
      if (id !== undefined) seen.add(id)
      all.push({ name: path, folder: false, size: found.isFile() && !again ? found.size : 0 })
    }
    waiting.push(...inside.reverse())
  }
  return all
}

const SLASH = Buffer.from('/')

function namesIn(root: string, folder: Buffer): Buffer[] {
  try {
    const path = Buffer.concat([Buffer.from(`${root}/`), folder])
    return readdirSync(path, { encoding: 'buffer' }).sort((a, b) => a.compare(b))
  } catch (cause) {
    throw localFault(`${root}/${folder.subarray(2).toString()}`, 'read', cause)
  }
}

const BLOCK = 512
const NAME_LIMIT = 100
/** tar writes whole records of 20 blocks. */
const RECORD = 20 * BLOCK

/** Bytes of the tar stream of these, near enough to tell how far it is. */
export function tarSize(entries: readonly Entry[]): number {
  const blocks = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK
  let bytes = 2 * BLOCK
  for (const { name, folder, size } of entries) {
    const long = name.length + (folder ? 1 : 0)
    bytes += BLOCK + blocks(size) + (long > NAME_LIMIT ? BLOCK + blocks(long + 1) : 0)
  }
  return Math.ceil(bytes / RECORD) * RECORD
}
