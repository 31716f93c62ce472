import { Problem } from '@deployfile/core'
import type { AnyAuthMethod } from 'ssh2'
import { readable } from '../command/order.ts'
import { agentOf, type Held, heldBy, probe } from './agent.ts'
import { unwantedIdentity } from './algorithms.ts'
import type { KeyFile } from './key-file.ts'
import type { KeyRing } from './key-ring.ts'
import { fingerprint } from './known-hosts.ts'
import type { Target } from './target.ts'

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
  /** Keys of the agent that were kept back, because a host soon has enough of keys that nobody named. */
  readonly keptBack: number
  /** Encrypted keys that the host would take, as it turned out. */
  readonly wanted: readonly KeyFile[]
  /** Encrypted keys of which nothing is known, not even whether the host would take them. */
  readonly closed: readonly KeyFile[]
}

/** sshd cuts off after 6 tries (MaxAuthTries); keys that nobody named leave one of them over. */
const OTHER_AGENT_KEYS = 5

/**
 * The keys to log in with, in this order: those that the config names (from the agent when it holds them, else from their
 * files), then the agent's others unless IdentitiesOnly.
 * @throws Problem `SSH_UNSUPPORTED`, `KEY_EXPOSED`, `KEY_UNREADABLE` (check) when there are keys and none of them can be used
 */
export async function findIdentities({ name, settings }: Target, ring: KeyRing): Promise<Identities> {
  const { agent, user: username } = settings
  const read = await Promise.all(settings.identityFiles.map((path) => ring.file(path)))
  const files = read.filter((file) => file !== undefined)
  const notes: string[] = []
  let held: Held = { keys: [], others: 0 }
  if (agent !== undefined) {
    try {
      held = await heldBy(agent)
    } catch (error) {
      notes.push(`the agent at ${agent} does not answer: ${(error as Error).message}`)
    }
  }
  const usable: Identity[] = []
  const useAgent = (socket: string, key: Buffer): void => {
    const label = `${fingerprint(key)} (agent)`
    usable.push({ label, method: { type: 'agent', username, agent: agentOf(socket, key) } })
  }
  const wanted: KeyFile[] = []
  const closed: KeyFile[] = []
  const faulty: KeyFile[] = []
  const named = new Set<string>()
  for (const file of files) {
    const { path, key, publicKey } = file
    if (publicKey) named.add(publicKey.toString('base64'))
    const why = publicKey && unwantedIdentity(publicKey, settings)
    if (why !== undefined) {
      notes.push(`${path} ${why}`)
      continue
    }
    if (agent !== undefined && publicKey && held.keys.some((one) => publicKey.equals(one))) {
      useAgent(agent, publicKey)
      continue
    }
    if (file.note !== undefined) notes.push(file.note)
    const label = `${publicKey ? fingerprint(publicKey) : 'a key'} (${path})`
    if (key) usable.push({ label, method: { type: 'publickey', username, key } })
    else if (file.fault !== 'encrypted') faulty.push(file)
    else if (!publicKey) closed.push(file)
    else {
      const locked = probe(publicKey, () => wanted.push(file))
      usable.push({ label, method: { type: 'agent', username, agent: locked } })
    }
  }
  let keptBack = 0
  if (agent !== undefined && !settings.identitiesOnly) {
    const others = held.keys.filter(
      (key) => !named.has(key.toString('base64')) && unwantedIdentity(key, settings) === undefined,
    )
    for (const key of others.slice(0, OTHER_AGENT_KEYS)) useAgent(agent, key)
    keptBack = Math.max(0, others.length - OTHER_AGENT_KEYS)
    if (keptBack > 0) notes.push(`the agent holds ${String(keptBack)} more keys, which were not offered`)
  }
  if (held.others > 0)
    notes.push(
      `the agent holds ${String(held.others)} certificates or hardware keys, which are not supported`,
    )
  if (usable.length === 0 && closed.length === 0) refuseFaulty(name, faulty)
  return { usable, notes, keptBack, wanted, closed }
}

/** Codes and hints of files that cannot be used, the one that is least likely to be an accident first. */
const FAULTS = [
  ['unsupported', 'SSH_UNSUPPORTED', () => 'Log in with an ed25519, ecdsa or rsa key.'],
  ['exposed', 'KEY_EXPOSED', (path: string) => `Keep it for yourself: chmod 600 ${readable(path)}`],
  ['unreadable', 'KEY_UNREADABLE', (path: string) => `See: ssh-keygen -y -f ${readable(path)}`],
] as const

function refuseFaulty(host: string, files: readonly KeyFile[]): void {
  for (const [fault, code, hint] of FAULTS) {
    const file = files.find((one) => one.fault === fault)
    if (!file) continue
    throw new Problem('check', code, `${host}: ${file.note ?? file.path}`, {
      host,
      retryable: false,
      hint: hint(file.path),
    })
  }
}

/** The host would take a key that nobody can open for us. */
export function keyEncrypted(host: string, { path }: KeyFile): Problem {
  return new Problem(
    'check',
    'KEY_ENCRYPTED',
    `${host}: the key ${path} has a passphrase, and no agent holds it`,
    {
      host,
      retryable: false,
      hint: `Give it to the agent first: ssh-add ${readable(path)}. On a terminal it is asked for.`,
    },
  )
}
