import { access, readFile, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import ssh2, { type ParsedKey } from 'ssh2'
import { readable } from '../command/order.ts'
import { keyType } from './known-hosts.ts'

/** What an IdentityFile holds. */
export interface KeyFile {
  readonly path: string
  /** A private key that can be used as it is. */
  readonly key?: ParsedKey
  /** The public part as it goes over the wire; known for most encrypted keys too. */
  readonly publicKey?: Buffer
  /** Why there is no `key`. */
  readonly fault?: 'encrypted' | 'unsupported' | 'exposed' | 'unreadable' | 'missing'
  /** As part of a sentence. */
  readonly note?: string
  /** Of an encrypted key: its text, for when its passphrase is known. */
  readonly locked?: Buffer
}

/** Names that ssh looks for unasked: that one is missing means nothing. */
const DEFAULT_NAMES = /^id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/

/** Undefined when there is no such file and nobody named it: ssh_config has many by default. */
export async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  let text: Buffer
  try {
    text = await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      return { path, fault: 'unreadable', note: `${path} cannot be read: ${message}` }
    const half = await publicHalf(path)
    if (half) return half
    const byDefault = DEFAULT_NAMES.test(basename(path)) && dirname(path) === join(userInfo().homedir, '.ssh')
    return byDefault ? undefined : { path, fault: 'missing', note: `${path} does not exist` }
  }
  const parsed = parse(text)
  if (parsed instanceof Error) return unusable(path, text, parsed.message)
  const publicKey = parsed.getPublicSSH()
  // An IdentityFile may be a public key: the agent then holds the other half.
  if (!parsed.isPrivateKey())
    return { path, publicKey, note: `${path} is a public key, and no agent holds its other half` }
  const exposed = await exposure(path)
  if (exposed !== undefined) return { path, publicKey, fault: 'exposed', note: exposed }
  if (await exists(`${path}-cert.pub`))
    return { path, key: parsed, publicKey, note: `${path}-cert.pub is a certificate, which is not supported` }
  return { path, key: parsed, publicKey }
}

/** Undefined when this is not its passphrase. Takes up to a second in which nothing else runs: the derivation is meant to be slow. */
export function unlockKey({ locked }: KeyFile, passphrase: string): ParsedKey | undefined {
  if (!locked) return undefined
  const parsed = parse(locked, passphrase)
  return parsed instanceof Error || !parsed.isPrivateKey() ? undefined : parsed
}

function parse(text: Buffer, passphrase?: string): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(text, passphrase) as ParsedKey | ParsedKey[] | Error
  return (Array.isArray(parsed) ? parsed[0] : parsed) ?? new Error('it is empty')
}

async function unusable(path: string, text: Buffer, message: string): Promise<KeyFile> {
  const publicKey = publicPart(text) ?? (await publicHalf(path))?.publicKey
  const half = publicKey && { publicKey }
  const type = publicKey ? keyType(publicKey) : ''
  if (type.startsWith('sk-') || (type !== '' && /Unsupported/.test(message)))
    return {
      path,
      ...half,
      fault: 'unsupported',
      note: `${path}: keys of type ${type} are not supported`,
    }
  if (/passphrase|encrypted/i.test(message)) {
    const exposed = await exposure(path)
    if (exposed !== undefined) return { path, ...half, fault: 'exposed', note: exposed }
    return {
      path,
      ...half,
      fault: 'encrypted',
      locked: text,
      note: `${path} has a passphrase, and no agent holds it (ssh-add ${readable(path)})`,
    }
  }
  return { path, ...half, fault: 'unreadable', note: `${path} is not a private key: ${message}` }
}

/** ssh does not use a key of ours that others may read, and so nobody can rely on it. */
async function exposure(path: string): Promise<string | undefined> {
  const { mode, uid } = await stat(path)
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined
  return `${path} may be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`
}

/** `IdentityFile ~/.ssh/id_x` where only id_x.pub is on this machine: the key is in an agent. */
async function publicHalf(path: string): Promise<KeyFile | undefined> {
  const text = await readFile(`${path}.pub`).catch(() => undefined)
  if (!text) return undefined
  const key = parse(text)
  return key instanceof Error ? undefined : { path, publicKey: key.getPublicSSH() }
}

/** OpenSSH's own format keeps the public key readable beside the encrypted one (PROTOCOL.key). */
function publicPart(text: Buffer): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\sA-Za-z0-9+/=]*)-----END/.exec(
    text.toString('latin1'),
  )?.[1]
  if (body === undefined) return undefined
  const bytes = Buffer.from(body, 'base64')
  let at = 'openssh-key-v1\0'.length
  const next = (): Buffer => {
    const end = at + 4 + bytes.readUInt32BE(at)
    const part = bytes.subarray(at + 4, end)
    at = end
    return part
  }
  try {
    for (let skipped = 0; skipped < 3; skipped++) next()
    at += 4
    const key = next()
    return keyType(key) === '' ? undefined : Buffer.from(key)
  } catch {
    return undefined
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
