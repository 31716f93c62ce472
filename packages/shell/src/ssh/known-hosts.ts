import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Problem } from '@deployfile/core'
import { readable } from '../command/order.ts'

/** A line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownKey {
  readonly file: string
  readonly line: number
  readonly marker: 'revoked' | 'cert-authority' | undefined
  /** The names as written: patterns, or one hashed name. */
  readonly names: string
  readonly type: string
  /** The key as it goes over the wire. */
  readonly key: Buffer
}

// Parsed once, whoever asks: thousands of hashed lines are wanted for each of hundreds of hosts.
const parsed = new Map<string, { readonly version: string; readonly known: readonly KnownKey[] }>()

/** @throws Problem `KNOWN_HOSTS_UNREADABLE` (check): a file that is there but cannot be read might hold a revocation */
export async function readKnownHosts(host: string, files: readonly string[]): Promise<readonly KnownKey[]> {
  const known: (readonly KnownKey[])[] = []
  for (const file of files) {
    try {
      known.push(await readOne(file))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw new Problem(
        'check',
        'KNOWN_HOSTS_UNREADABLE',
        `${host}: ${file} cannot be read: ${(cause as Error).message}`,
        {
          host,
          retryable: false,
          hint: `Host keys cannot be checked without it. See: ls -l ${readable(file)}`,
          cause,
        },
      )
    }
  }
  return known.flat()
}

async function readOne(file: string): Promise<readonly KnownKey[]> {
  const handle = await open(file)
  try {
    const { dev, ino, size, mtimeNs } = await handle.stat({ bigint: true })
    const version = [dev, ino, size, mtimeNs].join()
    const before = parsed.get(file)
    if (before?.version === version) return before.known
    const known = parseKnownHosts(await handle.readFile('latin1'), file)
    parsed.set(file, { version, known })
    return known
  } finally {
    await handle.close()
  }
}

/** Lines that ssh would not understand are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownKey[] {
  const known: KnownKey[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const words = raw.trim().split(/[ \t]+/)
    let marker: KnownKey['marker']
    if (words[0]?.startsWith('@')) {
      const name = words.shift()
      if (name !== '@revoked' && name !== '@cert-authority') continue
      marker = name === '@revoked' ? 'revoked' : 'cert-authority'
    }
    const [names, type, body] = words
    if (names === undefined || names.startsWith('#') || type === undefined || body === undefined) continue
    const key = Buffer.from(body, 'base64')
    if (keyType(key) !== type) continue
    known.push({ file, line: index + 1, marker, names, type, key })
  }
  return known
}

/** The type that a public key names itself: its first string. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return ''
  const length = key.readUInt32BE(0)
  return length > 64 || key.length < 4 + length ? '' : key.toString('latin1', 4, 4 + length)
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The name that known_hosts knows a host by: its alias, else with the port when that is not 22. */
export function knownName(hostname: string, port: number, alias: string | undefined): string {
  return (alias ?? (port === 22 ? hostname : `[${hostname}]:${String(port)}`)).toLowerCase()
}

export function namesHost(names: string, host: string): boolean {
  if (names.startsWith('|')) return hashed(names, host)
  let found = false
  for (const name of names.toLowerCase().split(',')) {
    const negated = name.startsWith('!')
    if (!wildcard(negated ? name.slice(1) : name, host)) continue
    // One negated match overrules all others, wherever it stands.
    if (negated) return false
    found = true
  }
  return found
}

function hashed(names: string, host: string): boolean {
  const [, kind, salt, hash] = names.split('|')
  if (kind !== '1' || salt === undefined || hash === undefined) return false
  const expected = Buffer.from(hash, 'base64')
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

// Linear in both: a pattern is text from a file that others may write to.
function wildcard(pattern: string, text: string): boolean {
  let p = 0
  let star = -1
  let mark = 0
  for (let t = 0; t < text.length;) {
    if (pattern[p] === '*') {
      star = p++
      mark = t
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++
      t++
    } else if (star !== -1) {
      p = star + 1
      t = ++mark
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

export type Verdict =
  | { readonly status: 'match' }
  | { readonly status: 'unknown'; readonly authority?: KnownKey }
  | { readonly status: 'changed'; readonly known: KnownKey }
  | { readonly status: 'revoked'; readonly known: KnownKey }

/** The lines that are about a host. */
export function entriesOf(known: readonly KnownKey[], name: string): KnownKey[] {
  return known.filter((entry) => namesHost(entry.names, name))
}

/**
 * A host that is known by keys of other types only counts as changed: what it offers is not what was trusted.
 * @param entries the host's own
 */
export function judge(entries: readonly KnownKey[], key: Buffer): Verdict {
  const revoked = entries.find((entry) => entry.marker === 'revoked' && entry.key.equals(key))
  if (revoked) return { status: 'revoked', known: revoked }
  const plain = entries.filter((entry) => entry.marker === undefined)
  if (plain.some((entry) => entry.key.equals(key))) return { status: 'match' }
  const type = keyType(key)
  const changed = plain.find((entry) => entry.type === type) ?? plain[0]
  if (changed) return { status: 'changed', known: changed }
  const authority = entries.find((entry) => entry.marker === 'cert-authority')
  return { status: 'unknown', ...(authority && { authority }) }
}

/** Key types that a host is known by, so that it is asked for one that can be compared. */
export function knownTypes(entries: readonly KnownKey[]): string[] {
  const types = entries.filter((entry) => entry.marker === undefined).map((entry) => entry.type)
  return [...new Set(types)]
}
