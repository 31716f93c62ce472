import { access, readFile } from 'node:fs/promises'
import { Problem } from '@deployfile/core'
import ssh2, { type AnyAuthMethod, type BaseAgent, type ParsedKey } from 'ssh2'
import { fingerprint, keyType } from './known-hosts.ts'
import type { Settings } from './resolve.ts'

/** One thing to try at a login. */
export interface Identity {
  /** For people: fingerprint and where it is from. */
  readonly label: string
  readonly method: AnyAuthMethod
}

export interface Identities {
  readonly usable: readonly Identity[]
  /** Why others are not tried, as sentences. */
  readonly notes: readonly string[]
}

/** sshd cuts off after 6 tries (MaxAuthTries); keys that nobody named leave one of them over. */
const OTHER_AGENT_KEYS = 5
const AGENT_TIMEOUT = 5_000

interface KeyFile {
  readonly path: string
  readonly key?: ParsedKey
  /** The public part as it goes over the wire; known for encrypted keys too. */
  readonly publicKey?: Buffer
  readonly fault?: 'encrypted' | 'unsupported' | 'unreadable'
  readonly note?: string
}

/**
 * The keys to log in with, in this order: those that the config names (from the agent when it holds them, else from their
 * files), then the agent's others unless IdentitiesOnly.
 * @throws Problem `KEY_ENCRYPTED`, `SSH_UNSUPPORTED` (check) when there are keys and none of them can be used
 */
export async function findIdentities(host: string, settings: Settings): Promise<Identities> {
  const files = (await Promise.all(settings.identityFiles.map(readKey))).filter((file) => file !== undefined)
  const notes: string[] = []
  const agent = settings.agent
  let held: Buffer[] = []
  if (agent !== undefined) {
    try {
      held = await heldBy(ssh2.createAgent(agent))
    } catch (error) {
      notes.push(`the agent at ${agent} does not answer: ${(error as Error).message}`)
    }
  }
  const usable: Identity[] = []
  const faults: KeyFile[] = []
  const named = new Set<string>()
  for (const file of files) {
    const { publicKey } = file
    if (publicKey) named.add(publicKey.toString('base64'))
    if (agent !== undefined && publicKey && held.some((key) => publicKey.equals(key)))
      usable.push(fromAgent(agent, settings.user, publicKey))
    else if (file.key) {
      const label = `${fingerprint(file.key.getPublicSSH())} (${file.path})`
      usable.push({ label, method: { type: 'publickey', username: settings.user, key: file.key } })
      if (file.note !== undefined) notes.push(file.note)
    } else faults.push(file)
  }
  for (const file of faults) if (file.note !== undefined) notes.push(file.note)
  if (agent !== undefined && !settings.identitiesOnly) {
    const others = held.filter((key) => !named.has(key.toString('base64')))
    for (const key of others.slice(0, OTHER_AGENT_KEYS)) usable.push(fromAgent(agent, settings.user, key))
    if (others.length > OTHER_AGENT_KEYS)
      notes.push(
        `the agent holds ${String(others.length - OTHER_AGENT_KEYS)} more keys, which were not offered`,
      )
  }
  if (usable.length === 0) refuseFaulty(host, faults)
  return { usable, notes }
}

function refuseFaulty(host: string, faults: readonly KeyFile[]): void {
  const encrypted = faults.find((file) => file.fault === 'encrypted')
  if (encrypted) {
    throw new Problem(
      'check',
      'KEY_ENCRYPTED',
      `${host}: the key ${encrypted.path} has a passphrase, and no agent holds it`,
      {
        host,
        hint: `Give it to the agent first: ssh-add ${encrypted.path}`,
      },
    )
  }
  const unsupported = faults.find((file) => file.fault === 'unsupported')
  if (unsupported)
    throw new Problem('check', 'SSH_UNSUPPORTED', `${host}: ${unsupported.note ?? unsupported.path}`, {
      host,
      hint: 'Log in with an ed25519, ecdsa or rsa key.',
    })
}

/** Undefined when there is no such file: ssh_config names many by default. */
async function readKey(path: string): Promise<KeyFile | undefined> {
  let text: Buffer
  try {
    text = await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return publicHalf(path)
    return { path, fault: 'unreadable', note: `${path} cannot be read: ${message}` }
  }
  const parsed = ssh2.utils.parseKey(text) as ParsedKey | ParsedKey[] | Error
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key && !(key instanceof Error)) {
    const publicKey = key.getPublicSSH()
    // An IdentityFile may be a public key: the agent then holds the other half.
    if (!key.isPrivateKey())
      return { path, publicKey, note: `${path} is a public key, and no agent holds its other half` }
    if (await exists(`${path}-cert.pub`))
      return { path, key, publicKey, note: `${path}-cert.pub is a certificate, which is not supported yet` }
    return { path, key, publicKey }
  }
  const publicKey = publicPart(text) ?? (await publicHalf(path))?.publicKey
  const half = publicKey && { publicKey }
  const type = publicKey ? keyType(publicKey) : ''
  if (type.startsWith('sk-') || /Unsupported/.test(key?.message ?? ''))
    return {
      path,
      ...half,
      fault: 'unsupported',
      note: `${path}: keys of type ${type || 'unknown'} are not supported yet`,
    }
  if (/passphrase|encrypted/i.test(key?.message ?? ''))
    return {
      path,
      ...half,
      fault: 'encrypted',
      note: `${path} has a passphrase, and no agent holds it (ssh-add ${path})`,
    }
  return {
    path,
    ...half,
    fault: 'unreadable',
    note: `${path} is not a private key: ${key?.message ?? 'it is empty'}`,
  }
}

/** `IdentityFile ~/.ssh/id_x` where only id_x.pub is on this machine: the key is in an agent. */
async function publicHalf(path: string): Promise<KeyFile | undefined> {
  const text = await readFile(`${path}.pub`).catch(() => undefined)
  if (!text) return undefined
  const parsed = ssh2.utils.parseKey(text) as ParsedKey | ParsedKey[] | Error
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  return key && !(key instanceof Error) ? { path, publicKey: key.getPublicSSH() } : undefined
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

function heldBy(agent: BaseAgent): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it is silent')), AGENT_TIMEOUT)
    agent.getIdentities((error, keys) => {
      clearTimeout(timer)
      if (error) {
        reject(error)
        return
      }
      const parsed = (keys ?? []).map((key) => ssh2.utils.parseKey(key as Buffer))
      resolve(parsed.filter((key) => !(key instanceof Error)).map((key) => (key as ParsedKey).getPublicSSH()))
    })
  })
}

/** The agent as one that holds this key only, so that keys are offered in our order. */
function fromAgent(socket: string, username: string, key: Buffer): Identity {
  const agent = ssh2.createAgent(socket)
  agent.getIdentities = (callback) => callback(undefined, [key])
  return { label: `${fingerprint(key)} (agent)`, method: { type: 'agent', username, agent } }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
