import { posix } from 'node:path'
import * as tar from 'tar'

/** Reads a tar stream beside whoever unpacks it. */
export interface TreeCheck {
  /** Throws what {@link createTreeCheck} was given for the first entry that must not be unpacked; then this chunk must not go on. */
  take(chunk: Buffer): void
}

const KINDS: readonly string[] = ['File', 'OldFile', 'ContiguousFile', 'Directory', 'SymbolicLink', 'Link']

/**
 * Finds names and links that lead out of the tree, and what is neither file, folder nor link. tar programs have guards of their own,
 * but these drop or change what they do not like; here it is refused by name, before any of it is written.
 */
export function createTreeCheck(refuse: (entry: string, reason: string) => Error): TreeCheck {
  const links = new Set<string>()
  let bad: Error | undefined
  let started = false
  const parser = new tar.Parser({
    strict: true,
    onReadEntry(entry) {
      const reason = objection(entry, links)
      if (reason !== undefined) bad ??= refuse(entry.path, reason)
      entry.resume()
    },
  })
  parser.on('ignoredEntry', (entry: { readonly path: string }) => {
    bad ??= refuse(entry.path, 'is neither file, folder nor link')
  })
  parser.on('error', (error: Error) => (bad ??= refuse('the stream', `is no tar archive (${error.message})`)))
  return {
    take(chunk) {
      // The parser would unpack a compressed stream in its own time, while the chunks went on.
      if (!started && (chunk[0] === 0x1f || chunk[0] === 0x28)) bad ??= refuse('the stream', 'is compressed')
      started = true
      if (!bad) parser.write(chunk)
      if (bad) throw bad
    },
  }
}

interface Entry {
  readonly path: string
  readonly type: string
  readonly linkpath?: string | undefined
}

function objection({ path, type, linkpath }: Entry, links: Set<string>): string | undefined {
  if (!KINDS.includes(type)) return 'is neither file, folder nor link'
  if (posix.isAbsolute(path)) return 'is an absolute name'
  const parts = parted(path)
  if (parts.includes('..')) return 'leads out of the tree'
  for (let depth = 1; depth < parts.length; depth++)
    if (links.has(parts.slice(0, depth).join('/'))) return 'is behind a link'
  if (type === 'Link') {
    if (posix.isAbsolute(linkpath ?? '') || parted(linkpath ?? '').includes('..'))
      return `is a link that leads out of the tree, to ${linkpath ?? ''}`
  }
  if (type === 'SymbolicLink') {
    if (leavesTree(parts.length - 1, linkpath ?? ''))
      return `is a link that leads out of the tree, to ${linkpath ?? ''}`
    links.add(parts.join('/'))
  }
  return undefined
}

// `..` counts only in front: after a name that may be a link itself, nobody knows where it leads.
function leavesTree(depth: number, target: string): boolean {
  if (posix.isAbsolute(target)) return true
  const parts = parted(target)
  const up = parts.findIndex((part) => part !== '..')
  const climbs = up === -1 ? parts.length : up
  return climbs > depth || parts.slice(climbs).includes('..')
}

function parted(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}
