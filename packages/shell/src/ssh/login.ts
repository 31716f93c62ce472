import { Problem } from '@deployfile/core'
import { NodeSSH } from 'node-ssh'
import type { AnyAuthMethod, ConnectConfig, NextAuthHandler } from 'ssh2'
import { hostKeyAlgorithms, otherAlgorithms, unwanted } from './algorithms.ts'
import { explain, type Phase, place, READY_TIMEOUT } from './connect-problem.ts'
import { alive, type Connection } from './connection.ts'
import { unlessAborted } from './gate.ts'
import { checkAddressKey, checkHostKey, nameOf } from './host-key.ts'
import type { Identities } from './identity.ts'
import { askForNoProofs, hearEverything, keepalive } from './keepalive.ts'
import { entriesOf, fingerprint, keyType, knownName, type KnownKey } from './known-hosts.ts'
import type { Link } from './link.ts'
import { Setback } from './setback.ts'
import type { Target } from './target.ts'
import { addHostKey } from './trust.ts'

export interface Login {
  readonly target: Target
  readonly known: readonly KnownKey[]
  readonly identities: Identities
  /** Types of host keys that it has offered and that did not fit its pins; added to when there is another. */
  readonly tried: Set<string>
  /** Told when a new host key was added to known_hosts. */
  readonly notify: (message: string) => void
  /** The other side has begun to speak. */
  readonly heard: () => void
}

/**
 * Handshake and login over a connection that stands. Whatever happens it settles within {@link READY_TIMEOUT}.
 * @throws Setback
 */
export async function login(attempt: Login, link: Link, signal: AbortSignal): Promise<Connection> {
  const { target, known, identities, tried, notify } = attempt
  const { settings } = target
  const hangUp = (): void => link.hangUp()
  signal.addEventListener('abort', hangUp, { once: true })

  const entries = entriesOf(known, nameOf(target))
  let phase: Phase = 'greeting'
  let refused: Setback | undefined
  let newKey: Buffer | undefined
  let trouble: Error | undefined
  let methods: readonly string[] = []
  let partial = false
  let said = ''
  const offered: string[] = []
  const waiting = [...identities.usable]

  const verify = (key: Buffer): boolean => {
    phase = 'handshake'
    const verdict = checkHostKey(target, entries, key)
    const other = addressProblem(target, link, known, key) ?? tooSmall(target, key)
    if (verdict instanceof Problem || other) {
      const problem = verdict instanceof Problem ? verdict : other
      if (problem) refused = mismatch(target, problem, key, tried)
      return false
    }
    if (verdict === 'new') newKey = key
    return true
  }
  const nextIdentity = (): AnyAuthMethod => {
    const identity = waiting.shift()
    if (identity) offered.push(identity.label)
    return identity ? identity.method : lastResort(offered, settings.user)
  }
  const config: ConnectConfig = {
    sock: link.stream,
    username: settings.user,
    readyTimeout: READY_TIMEOUT,
    ...keepalive(settings),
    algorithms: { serverHostKey: serverHostKeys(target, entries, tried), ...otherAlgorithms(settings) },
    // Only to be forwarded: each identity brings its own.
    ...(settings.forwardAgent !== undefined && { agent: settings.forwardAgent, agentForward: true }),
    hostVerifier: verify,
    authHandler: (left: readonly string[] | null, some: boolean | null, next: NextAuthHandler) => {
      if (left) methods = left
      partial = some === true
      const key = newKey
      if (!key) {
        next(nextIdentity())
        return
      }
      // Only now has the host proved that the key is its own; and nothing was sent to it yet.
      newKey = undefined
      addHostKey(target, key).then(
        () => {
          notify(`${target.name}: added its host key to known_hosts: ${keyType(key)} ${fingerprint(key)}`)
          next(nextIdentity())
        },
        (problem: unknown) => {
          refused = new Setback(problem as Problem)
          link.hangUp()
        },
      )
    },
  }

  const ssh = new NodeSSH()
  // Of its promise only the success counts: it gives up when an agent does not sign, though the next key may do.
  const connecting = ssh.connect(config as Parameters<NodeSSH['connect']>[0])
  connecting.catch(() => undefined)
  const client = ssh.connection
  try {
    if (!client) return await connecting.then(() => Promise.reject(new Error('node-ssh has no connection')))
    listenFor(link, (line) => {
      said = line
      attempt.heard()
    })
    const ready = new Promise<void>((resolve, reject) => {
      client.on('ready', resolve)
      // For the whole life of the connection: node-ssh listens only until it is ready, and an error nobody hears ends the process.
      client.on('error', (error: Error) => {
        if (phase !== 'ready' && isSoft(error)) return
        trouble ??= error
        reject(error)
      })
      client.on('handshake', () => {
        phase = 'login'
        askForNoProofs(client)
      })
      client.on('close', () => reject(new Error('No response from server')))
      // ssh2 cannot tell that the other side has hung up in the middle of a handshake.
      client.on('end', () => reject(new Error('No response from server')))
    })
    await unlessAborted(ready, signal)
    phase = 'ready'
    hearEverything(client, link)
    return alive(client, link, target, () => trouble)
  } catch (error) {
    client?.destroy()
    link.hangUp()
    const failed = {
      target,
      phase,
      error: trouble ?? (error as Error),
      identities,
      offered,
      methods,
      partial,
      said,
    }
    throw refused ?? link.setback() ?? explain(failed)
  } finally {
    signal.removeEventListener('abort', hangUp)
  }
}

/** Only one of several keys failed; ssh2 goes on with the next. */
function isSoft(error: Error): boolean {
  const { level } = error as { readonly level?: string }
  return (
    level === 'agent' || (level === 'client-authentication' && !error.message.startsWith('All configured'))
  )
}

/** Without any key one question is still worth it: what the host would take. `false` ends the login. */
function lastResort(offered: string[], username: string): AnyAuthMethod {
  if (offered.length > 0) return false as unknown as AnyAuthMethod
  offered.push('no key')
  return { type: 'none', username }
}

/** @throws Setback when ssh_config allows none that can be checked */
function serverHostKeys(target: Target, entries: readonly KnownKey[], tried: ReadonlySet<string>) {
  const algorithms = hostKeyAlgorithms(entries, target.settings, tried)
  if (algorithms.length > 0) return algorithms
  const listed = target.settings.algorithms.hostKey?.join(',') ?? ''
  throw new Setback(
    new Problem(
      'check',
      'SSH_UNSUPPORTED',
      `${target.name}: of HostKeyAlgorithms ${listed} in ssh_config none is supported`,
      {
        host: target.name,
        retryable: false,
        hint: 'Allow ssh-ed25519, ecdsa-sha2-nistp256 or rsa-sha2-512.',
      },
    ),
  )
}

function addressProblem(
  target: Target,
  link: Link,
  known: readonly KnownKey[],
  key: Buffer,
): Problem | undefined {
  const { checkHostIp, hostKeyAlias, port } = target.settings
  if (!checkHostIp || hostKeyAlias !== undefined || link.address === undefined) return undefined
  const entries = entriesOf(known, knownName(link.address, port, undefined))
  return checkAddressKey(target, link.address, entries, key)
}

function tooSmall(target: Target, key: Buffer): Problem | undefined {
  const why = unwanted(key, target.settings)
  return why === undefined
    ? undefined
    : new Problem('check', 'HANDSHAKE_FAILED', `${target.name}: the host key of ${place(target)} ${why}`, {
        host: target.name,
        retryable: false,
        hint: 'Give the host a longer key, or one of type ed25519 (ssh-keygen -A on the host makes what is missing).',
      })
}

/** A pin names no type: a host that offers another key may have the pinned one too. */
function mismatch(target: Target, problem: Problem, key: Buffer, tried: Set<string>): Setback {
  if (target.pins === undefined || problem.code !== 'HOST_KEY_CHANGED') return new Setback(problem)
  tried.add(keyType(key))
  return new Setback(problem, 'other-key')
}

const LINE_LIMIT = 100

/** What comes before SSH's own first line, for messages: sshd says there why it does not want us. '' once SSH has begun. */
function listenFor({ stream }: Link, tell: (said: string) => void): void {
  let text = ''
  const listen = (chunk: Buffer): void => {
    text += chunk.toString('latin1').slice(0, 4096)
    const begun = /^SSH-/m.test(text)
    const [line = ''] = text.split(/\r?\n/)
    tell(begun || 'SSH-'.startsWith(text) ? '' : line.slice(0, LINE_LIMIT).replaceAll(/[^\x20-\x7e]/g, '?'))
    if (begun || text.length > 4096) stream.off('data', listen)
  }
  stream.on('data', listen)
}
