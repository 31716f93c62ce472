import type { Algorithms } from 'ssh2'
import { keyType, type KnownKey, knownTypes } from './known-hosts.ts'
import type { Settings } from './settings.ts'

/** `ssh-rsa` keys by SHA-2 signatures only; SHA-1 ones can be forged. */
const RSA = ['rsa-sha2-512', 'rsa-sha2-256'] as const
const TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  ...RSA,
] as const
export type HostKeyAlgorithm = (typeof TYPES)[number]

const isRsa = (type: string): boolean => type === 'ssh-rsa' || RSA.some((one) => one === type)

/**
 * The host key algorithms to ask for, those of known keys first: a server would else offer a key that nothing can be compared with.
 * @param known the host's own entries
 * @param tried types of keys that it has already offered
 */
export function hostKeyAlgorithms(
  known: readonly KnownKey[],
  { algorithms }: Settings,
  tried: ReadonlySet<string> = new Set(),
): HostKeyAlgorithm[] {
  const types = new Set(knownTypes(known))
  const allowed = TYPES.filter((type) => algorithms.hostKey?.includes(type) !== false)
  const open = allowed.filter((type) => !tried.has(isRsa(type) ? 'ssh-rsa' : type))
  const isKnown = (type: HostKeyAlgorithm): boolean => types.has(isRsa(type) ? 'ssh-rsa' : type)
  return [...open.filter(isKnown), ...open.filter((type) => !isKnown(type))]
}

/** Why ssh_config wants no such key, as the end of a sentence about it; undefined when it may be used. */
export function unwanted(key: Buffer, { rsaBits }: Settings): string | undefined {
  const bits = keyType(key) === 'ssh-rsa' ? modulusBits(key) : undefined
  if (bits === undefined || bits >= rsaBits) return undefined
  return `has ${String(bits)} bits, and RequiredRSASize of ssh_config is ${String(rsaBits)}`
}

/** The same for a key to log in with. */
export function unwantedIdentity(key: Buffer, settings: Settings): string | undefined {
  const type = keyType(key)
  const listed = settings.algorithms.identity
  if (listed?.some((name) => name === type || (isRsa(name) && isRsa(type))) === false)
    return `is of type ${type}, which PubkeyAcceptedAlgorithms of ssh_config leaves out`
  return unwanted(key, settings)
}

/** Of `string "ssh-rsa", mpint e, mpint n` (RFC 4253, 6.6). */
function modulusBits(key: Buffer): number | undefined {
  let at = 0
  for (let skipped = 0; skipped < 2; skipped++) {
    if (at + 4 > key.length) return undefined
    at += 4 + key.readUInt32BE(at)
  }
  const modulus = key.subarray(at + 4)
  const first = modulus.findIndex((byte) => byte !== 0)
  return first === -1 ? undefined : 8 * (modulus.length - first) - Math.clz32(modulus[first] ?? 0) + 24
}

/** What ssh2 offers of the other kinds: its own order, without SHA-1, and no more than ssh_config allows. */
export function otherAlgorithms({ algorithms }: Settings): Algorithms {
  const only = (names: readonly string[] | undefined, never: readonly string[] = []) => ({
    remove: [...(names ? [anyBut(names)] : []), ...never],
    prepend: [],
    append: names ? [oneOf(names)] : [],
  })
  const lists = {
    kex: only(algorithms.kex),
    cipher: only(algorithms.cipher),
    hmac: only(
      algorithms.mac?.filter((name) => !SHA1.includes(name)),
      SHA1,
    ),
  }
  // ssh2 takes patterns as well as names; its types know only names.
  return lists as unknown as Algorithms
}

const SHA1 = ['hmac-sha1', 'hmac-sha1-etm@openssh.com']

const escaped = (names: readonly string[]): string =>
  names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
const anyBut = (names: readonly string[]): RegExp => new RegExp(`^(?!(?:${escaped(names)})$)`)
const oneOf = (names: readonly string[]): RegExp => new RegExp(`^(?:${escaped(names)})$`)
