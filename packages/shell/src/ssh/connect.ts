import { once } from 'node:events'
import { connect as openSocket, type Socket } from 'node:net'
import { type Host, Problem } from '@deployfile/core'
import { NodeSSH } from 'node-ssh'
import type { AnyAuthMethod, Client, NextAuthHandler } from 'ssh2'
import { createGate, type Gate, pause } from './gate.ts'
import { checkHostKey, hostKeyAlgorithms, place } from './host-key.ts'
import { findIdentities, type Identities } from './identity.ts'
import { readKnownHosts } from './known-hosts.ts'
import type { Settings } from './resolve.ts'

/** A login that works. */
export interface Connection {
  readonly client: Client
  readonly settings: Settings
  readonly channels: Gate
  /** Why it is gone; undefined while it lives. */
  lost(): string | undefined
  onLost(listener: () => void): void
  /** It was found dead before it said so itself. */
  abandon(reason: string): void
  /** Says goodbye; after 2 s it hangs up. */
  close(): Promise<void>
}

const TCP_TIMEOUT = 10_000
/** Handshake and login together. */
const READY_TIMEOUT = 20_000
const KEEPALIVE = { keepaliveInterval: 10_000, keepaliveCountMax: 3 }
const CLOSE_TIMEOUT = 2_000
const TRIES = 3
/** After this long no new try begins, so that a host that cannot be reached fails in 20 s at most. */
const RETRY_WINDOW = 10_000
/** sshd allows 10 (MaxSessions), and frees one a little after its end. */
const CHANNELS = 8

/**
 * Connects and logs in. Tries again only what never got as far as the host key.
 * @throws Problem `HOST_UNREACHABLE`, `HOST_KEY_UNKNOWN`, `HOST_KEY_CHANGED`, `HOST_KEY_REVOKED`, `LOGIN_REFUSED`,
 * `HANDSHAKE_FAILED`, and those of {@link findIdentities}; all of kind check
 */
export async function connect(host: Host, settings: Settings, signal: AbortSignal): Promise<Connection> {
  const known = await readKnownHosts(settings.knownHostsFiles)
  const identities = await findIdentities(host.name, settings)
  const begun = performance.now()
  for (let attempt = 1; ; attempt++) {
    try {
      return await login({ host, settings, known, identities }, signal)
    } catch (error) {
      const again = error instanceof NotReached && attempt < TRIES && performance.now() - begun < RETRY_WINDOW
      if (!again) throw error instanceof NotReached ? error.problem : error
      // Others were sent away by the same crowded door: do not come back all at once.
      await pause(attempt * 200 * (1 + Math.random()), signal)
    }
  }
}

type Attempt = Readonly<{
  host: Host
  settings: Settings
  known: Awaited<ReturnType<typeof readKnownHosts>>
  identities: Identities
}>

/** Nothing was said yet: it may be tried again. */
class NotReached extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

async function login(attempt: Attempt, signal: AbortSignal): Promise<Connection> {
  const { host, settings, known, identities } = attempt
  const socket = await reach(host.name, settings, signal)
  const hangUp = (): void => void socket.destroy()
  signal.addEventListener('abort', hangUp, { once: true })

  const ssh = new NodeSSH()
  let phase: 'greeting' | 'handshake' | 'login' | 'ready' = 'greeting'
  let refused: Problem | undefined
  let trouble: Error | undefined
  let methods: readonly string[] = []
  const offered: string[] = []
  const waiting = [...identities.usable]
  const connecting = ssh.connect({
    // ssh2 calls `on('connect')` itself where a socket is not open yet; ours is.
    sock: socket,
    username: settings.user,
    readyTimeout: READY_TIMEOUT,
    ...KEEPALIVE,
    algorithms: {
      serverHostKey: hostKeyAlgorithms(known, settings),
      hmac: { append: [], prepend: [], remove: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'] },
    },
    hostVerifier: (key: Buffer) => {
      phase = 'handshake'
      refused = checkHostKey(host.name, settings, known, host.hostKey, key)
      return refused === undefined
    },
    authHandler: (left: readonly string[] | null, _partial: boolean | null, next: NextAuthHandler) => {
      if (left) methods = left
      const identity = waiting.shift()
      if (identity) offered.push(identity.label)
      next(identity ? identity.method : lastResort(offered, settings.user))
    },
  })
  const client = ssh.connection
  // For the whole life of the connection: node-ssh listens only until it is ready, and an error nobody hears ends the process.
  client?.on('error', (error: Error) => (trouble ??= error))
  client?.on('handshake', () => (phase = 'login'))
  try {
    await connecting
    if (!client) throw new Error('node-ssh has no connection')
    phase = 'ready'
    return alive(client, socket, settings, () => trouble)
  } catch (error) {
    client?.destroy()
    socket.destroy()
    if (refused) throw refused
    throw explain(attempt, phase, trouble ?? (error as Error), { methods, offered })
  } finally {
    signal.removeEventListener('abort', hangUp)
  }
}

/** Without any key one question is still worth it: what the host would take. `false` ends the login. */
function lastResort(offered: string[], username: string): AnyAuthMethod {
  if (offered.length > 0) return false as unknown as AnyAuthMethod
  offered.push('no key')
  return { type: 'none', username }
}

async function reach(host: string, settings: Settings, signal: AbortSignal): Promise<Socket> {
  const socket = openSocket({
    host: settings.hostname,
    port: settings.port,
    // Without it every command waits for a delayed acknowledgement, 25-50 ms each (measured).
    noDelay: true,
    // Node gives each address of a name 250 ms, too little for another continent.
    autoSelectFamilyAttemptTimeout: 2_500,
    ...(settings.family !== undefined && { family: settings.family }),
    ...(settings.bindAddress !== undefined && { localAddress: settings.bindAddress }),
  })
  // ssh2 adds its own listener; this one covers the time until then and after the end.
  socket.on('error', () => undefined)
  const late = AbortSignal.timeout(TCP_TIMEOUT)
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, late]) })
    return socket
  } catch (cause) {
    socket.destroy()
    const code = (cause as NodeJS.ErrnoException).code ?? ''
    const reason = late.aborted
      ? `no answer within ${String(TCP_TIMEOUT / 1000)} s`
      : (REASONS[code] ?? ((cause as Error).message || code))
    const problem = unreachable(
      host,
      `${host}: ${place(settings)} cannot be reached: ${reason}`,
      settings,
      cause,
    )
    throw late.aborted || ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'].includes(code)
      ? new NotReached(problem)
      : problem
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused, nothing listens there',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up just now',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to its network',
  ETIMEDOUT: 'no answer',
}

function unreachable(host: string, message: string, settings: Settings, cause: unknown): Problem {
  return new Problem('check', 'HOST_UNREACHABLE', message, {
    host,
    hint: `Try: ssh -p ${String(settings.port)} ${settings.user}@${settings.hostname} true`,
    cause,
  })
}

function explain(
  { host, settings, identities }: Attempt,
  phase: string,
  error: Error,
  tried: { readonly methods: readonly string[]; readonly offered: readonly string[] },
): Error {
  const { level } = error as { readonly level?: string }
  const at = place(settings)
  if (level === 'client-timeout') {
    const what =
      phase === 'greeting' ? 'accepted the connection but stayed silent' : `did not finish the ${phase}`
    return unreachable(
      host.name,
      `${host.name}: ${at} ${what} for ${String(READY_TIMEOUT / 1000)} s`,
      settings,
      error,
    )
  }
  const tooMany = /Too many authentication failures/.test(error.message)
  if (level === 'client-authentication' || level === 'agent' || tooMany) {
    const takes = tried.methods.length > 0 ? `; it takes ${tried.methods.join(', ')}` : ''
    const notes = identities.notes.map((note) => `; ${note}`).join('')
    const why = tooMany
      ? ' after too many keys'
      : level === 'agent'
        ? `, the agent failed: ${error.message}`
        : ''
    return new Problem(
      'check',
      'LOGIN_REFUSED',
      `${host.name}: ${at} refused the login of ${settings.user}${why}; offered: ${tried.offered.join(', ') || 'nothing'}${takes}${notes}`,
      {
        host: host.name,
        hint: tooMany
          ? `Name the right key in ssh_config: IdentityFile and IdentitiesOnly yes for ${settings.alias}.`
          : `Put the public key into ~${settings.user}/.ssh/authorized_keys there: ssh-copy-id -p ${String(settings.port)} ${settings.user}@${settings.hostname}`,
        cause: error,
      },
    )
  }
  const broken =
    level === 'client-socket' || level === 'protocol' || /No response from server/.test(error.message)
  if (broken && phase === 'greeting') {
    return new NotReached(
      unreachable(
        host.name,
        `${host.name}: ${at} closed the connection before a word was said: ${error.message}`,
        settings,
        error,
      ),
    )
  }
  if (broken)
    return unreachable(
      host.name,
      `${host.name}: ${at} broke off during the ${phase}: ${error.message}`,
      settings,
      error,
    )
  return new Problem(
    'check',
    'HANDSHAKE_FAILED',
    `${host.name}: ${at} and we do not understand each other: ${error.message}`,
    {
      host: host.name,
      hint: `Is it an SSH server? See: ssh -v -p ${String(settings.port)} ${settings.user}@${settings.hostname}`,
      cause: error,
    },
  )
}

function alive(
  client: Client,
  socket: Socket,
  settings: Settings,
  trouble: () => Error | undefined,
): Connection {
  const channels = createGate(CHANNELS)
  const listeners: (() => void)[] = []
  let lost: string | undefined
  const gone = (reason?: string): void => {
    if (lost !== undefined) return
    lost = trouble()?.message ?? reason ?? 'it was closed by the other side'
    channels.shut(new Error(lost))
    for (const listener of listeners) listener()
  }
  client.on('end', () => gone())
  client.on('close', () => gone())
  if (socket.destroyed) gone()
  return {
    client,
    settings,
    channels,
    lost: () => lost,
    onLost(listener) {
      if (lost === undefined) listeners.push(listener)
      else listener()
    },
    abandon(reason) {
      gone(reason)
      socket.destroy()
    },
    async close() {
      if (socket.destroyed) return
      const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT)
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      client.end()
      await closed
      clearTimeout(timer)
    },
  }
}
