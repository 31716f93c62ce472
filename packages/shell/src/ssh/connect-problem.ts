import { Problem, type ProblemDetails } from '@deployfile/core'
import type { Identities } from './identity.ts'
import { Setback } from './setback.ts'
import type { Target } from './target.ts'

/** Handshake and login together, in milliseconds. */
export const READY_TIMEOUT = 20_000

/** Where somebody is, for people: `10.0.0.7:22`, and through whom. */
export function place({ settings, through }: Target): string {
  const { hostname, port } = settings
  const host = hostname.includes(':') ? `[${hostname}]` : hostname
  return `${host}:${String(port)}${through ? ` through ${through.name}` : ''}`
}

/** What to type to try the same with ssh. */
function byHand({ settings }: Target, options = ''): string {
  return `ssh ${options}-p ${String(settings.port)} ${settings.user}@${settings.alias}`
}

function check(
  target: Target,
  code: string,
  message: string,
  details: Omit<ProblemDetails, 'host'>,
): Problem {
  return new Problem('check', code, `${target.name}: ${message}`, { host: target.name, ...details })
}

/** By the names of errors of the system: the words for it, and whether it may be another matter in a moment. */
const REASONS: Readonly<Record<string, readonly [words: string, remedy?: 'again']>> = {
  ECONNREFUSED: ['the connection was refused, nothing listens there', 'again'],
  ECONNRESET: ['the connection was reset', 'again'],
  EHOSTUNREACH: ['there is no route to it'],
  ENETUNREACH: ['there is no route to its network'],
  ETIMEDOUT: ['no answer', 'again'],
  EADDRNOTAVAIL: ['the address to connect from (BindAddress) is not one of this machine'],
}

/** Reasons for which a jump host opens no connection (RFC 4254, 5.1): prohibited, failed, unknown kind, too many. */
const PROHIBITED = 1

export interface Unreached {
  /** Milliseconds that were waited. */
  readonly timeout?: number
  readonly cause?: unknown
  /** Why the jump host is gone. */
  readonly lost?: string
}

/** There is no connection to speak SSH over. */
export function unreachable(target: Target, { timeout, cause, lost }: Unreached): Setback {
  const failed = (reason: string, retryable: boolean, remedy?: 'again'): Setback => {
    const message = `${place(target)} cannot be reached: ${reason}`
    const hint = `Try: ${byHand(target)} true`
    return new Setback(check(target, 'HOST_UNREACHABLE', message, { hint, retryable, cause }), remedy)
  }
  if (timeout !== undefined) return failed(`no answer within ${seconds(timeout)}`, true)
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string }
  if (lost !== undefined)
    return failed(`the connection to ${target.through?.name ?? ''} was lost: ${lost}`, true)
  if (target.through) {
    const reason = message.replace(/^\(SSH\) Channel open failure: /, '')
    const { reason: number } = cause as { reason?: number }
    if (number === PROHIBITED)
      return failed(
        `${target.through.name} does not forward connections (${reason}; AllowTcpForwarding)`,
        false,
      )
    if (/name|resolve/i.test(reason)) return notFound(target, true, cause)
    return failed(reason, true)
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return notFound(target, code === 'EAI_AGAIN', cause)
  const [words, remedy] = REASONS[code] ?? [message || code]
  return failed(words, true, remedy)
}

function notFound(target: Target, retryable: boolean, cause: unknown): Setback {
  const { settings, through } = target
  const where = through ? ` on ${through.name}` : ''
  const message = retryable && !through ? 'cannot be looked up just now' : `is not known${where}`
  return new Setback(
    check(target, 'HOST_NOT_FOUND', `the name ${settings.hostname} ${message}`, {
      hint: through
        ? `See there: getent hosts ${settings.hostname}`
        : `Look for a typing error, or give the host an address in the config or a HostName in ssh_config: ssh -G ${settings.alias}`,
      retryable,
      cause,
    }),
  )
}

export function proxyFailed(target: Target, how: string): Setback {
  const { proxyCommand = '' } = target.settings
  return new Setback(
    check(target, 'PROXY_COMMAND_FAILED', `the ProxyCommand '${proxyCommand}' ${how}`, {
      hint: `Try: ${byHand(target)} true`,
      retryable: true,
    }),
  )
}

export type Phase = 'greeting' | 'handshake' | 'login' | 'ready'

/** All that is known of a try that failed after there was a connection. */
export interface Failed {
  readonly target: Target
  readonly phase: Phase
  readonly error: Error
  readonly identities: Identities
  /** Labels of the identities that were offered. */
  readonly offered: readonly string[]
  /** The methods that the host would still take. */
  readonly methods: readonly string[]
  /** It took the identity offered last, and wants something more. */
  readonly partial: boolean
  /** What it said in place of SSH's first line. */
  readonly said: string
}

export function explain(failed: Failed): Setback {
  const { target, phase, error, said } = failed
  const { level, code } = error as { readonly level?: string; readonly code?: unknown }
  const at = place(target)
  const broken = (message: string, remedy?: 'again'): Setback => {
    const hint = `Try: ${byHand(target)} true`
    return new Setback(
      check(target, 'HOST_UNREACHABLE', message, { hint, retryable: true, cause: error }),
      remedy,
    )
  }
  const limit = seconds(READY_TIMEOUT)
  if (level === 'client-timeout' && phase === 'greeting')
    return broken(`${at} accepted the connection but stayed silent for ${limit}`)
  if (level === 'client-timeout') return broken(`${at} did not finish the ${phase} within ${limit}`)
  // A number is the reason that the host gave when it said goodbye.
  const parted = typeof code === 'number'
  if (level === 'client-authentication' || level === 'agent' || (parted && phase === 'login'))
    return loginRefused(failed)
  const gone =
    level === 'client-socket' || /No response from server|lost before handshake/i.test(error.message)
  if (gone && phase === 'greeting' && said !== '') return turnedAway(failed)
  if (gone && phase === 'greeting')
    return broken(`${at} closed the connection before a word was said: ${error.message}`, 'again')
  if (gone) return broken(`${at} broke off during the ${phase}: ${error.message}`)
  const nothingInCommon = /no matching (.*)/.exec(error.message)?.[1]
  if (nothingInCommon !== undefined && said === '')
    return new Setback(
      check(target, 'HANDSHAKE_FAILED', `${at} and we have no ${nothingInCommon} in common`, {
        hint: `See what it offers: ${byHand(target, '-vv ')}, and whether ssh_config restricts ours (Ciphers, MACs, KexAlgorithms, HostKeyAlgorithms).`,
        retryable: false,
        cause: error,
      }),
    )
  return new Setback(
    check(target, 'HANDSHAKE_FAILED', `${at} and we do not understand each other: ${error.message}`, {
      hint: `Is it an SSH server? See: ${byHand(target, '-v ')}`,
      retryable: false,
      cause: error,
    }),
  )
}

/** It answered with a line, but not with SSH's. sshd itself does so when it is crowded, or shuts an address out for a while. */
function turnedAway({ target, said, error }: Failed): Setback {
  const crowded = /MaxStartups/i.test(said)
  const banned = /Not allowed at this time/i.test(said)
  if (!crowded && !banned)
    return new Setback(
      check(target, 'HANDSHAKE_FAILED', `${place(target)} is no SSH server: it said '${said}'`, {
        hint: 'Look at the port of the host.',
        retryable: false,
        cause: error,
      }),
    )
  return new Setback(
    check(target, 'HOST_UNREACHABLE', `${place(target)} turned us away: it said '${said}'`, {
      hint: crowded
        ? 'Too many log in to it at once: raise MaxStartups in its sshd_config.'
        : 'It shuts this address out for a while (PerSourcePenalties). Wait, and mend what failed before.',
      retryable: true,
      cause: error,
    }),
    crowded ? 'again' : undefined,
  )
}

function loginRefused(failed: Failed): Setback {
  const { target, error, identities, offered, methods, partial } = failed
  const { settings } = target
  const { level, code } = error as { readonly level?: string; readonly code?: unknown }
  const tooMany = /Too many authentication failures/.test(error.message)
  const takes = methods.length > 0 ? `; it takes ${methods.join(', ')}` : ''
  const notes = identities.notes.map((note) => `; ${note}`).join('')
  const why = tooMany
    ? ' after too many keys'
    : level === 'agent'
      ? `, the agent failed: ${error.message}`
      : typeof code === 'number'
        ? `: it said '${error.message}'`
        : ''
  const gssapi = methods.length > 0 && methods.every((method) => method.startsWith('gssapi'))
  const message = partial
    ? `${place(target)} took ${offered.at(-1) ?? 'the key'} of ${settings.user} but wants more: ${methods.join(', ')}`
    : `${place(target)} refused the login of ${settings.user}${why}; offered: ${offered.join(', ') || 'nothing'}${takes}${notes}`
  if (gssapi)
    return new Setback(
      check(
        target,
        'SSH_UNSUPPORTED',
        `${place(target)} takes only GSSAPI (Kerberos), which is not supported`,
        {
          hint: `Let it take a key of ${settings.user} as well: PubkeyAuthentication yes in its sshd_config.`,
          retryable: false,
          cause: error,
        },
      ),
    )
  const hint =
    tooMany || identities.keptBack > 0
      ? `Name the right key in ssh_config: IdentityFile and IdentitiesOnly yes for ${settings.alias}.`
      : partial
        ? `Only keys are supported: let ${settings.user} log in by key alone (AuthenticationMethods in its sshd_config).`
        : `Put the public key into ~${settings.user}/.ssh/authorized_keys there: ssh-copy-id -p ${String(settings.port)} ${settings.user}@${settings.alias}`
  const remedy = identities.wanted.length > 0 || identities.closed.length > 0 ? 'unlock' : undefined
  return new Setback(
    check(target, 'LOGIN_REFUSED', message, { hint, retryable: false, cause: error }),
    remedy,
  )
}

const seconds = (milliseconds: number): string => `${String(milliseconds / 1000)} s`
