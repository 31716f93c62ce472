import type { Problem } from '@deployfile/core'
import { Aborted, type Gate, pause, unlessAborted } from './gate.ts'
import type { Connection } from './connection.ts'
import { findIdentities, keyEncrypted } from './identity.ts'
import type { KeyRing } from './key-ring.ts'
import { readKnownHosts } from './known-hosts.ts'
import { login } from './login.ts'
import { reach } from './reach.ts'
import { Setback } from './setback.ts'
import type { Target } from './target.ts'

const TRIES = 3
/** After this long no new try begins, so that a host that cannot be reached fails in 20 s at most. */
const RETRY_WINDOW = 10_000
/** A host that says nothing for so long is no crowd at a door: others may go in meanwhile. */
const SILENCE = 5_000

/** What becomes of a try when the host has no key of another type. */
const NO_OTHER_KEY = new Set(['HANDSHAKE_FAILED', 'SSH_UNSUPPORTED'])

export interface ConnectParts {
  readonly ring: KeyRing
  /** Through which it is reached. */
  readonly jump: Connection | undefined
  /** Those that are in their handshakes, from where we or the jump host are. */
  readonly handshakes: Gate
  readonly notify: (message: string) => void
}

/**
 * Connects and logs in. Tries again what never got as far as the host key (refused, reset, lost), what may still find a pinned key,
 * and what has found a key that a person can unlock; never a login.
 * @throws Problem `HOST_UNREACHABLE`, `HOST_NOT_FOUND`, `PROXY_COMMAND_FAILED`, `HANDSHAKE_FAILED`, `HOST_KEY_UNKNOWN`,
 * `HOST_KEY_CHANGED`, `HOST_KEY_REVOKED`, `KNOWN_HOSTS_UNREADABLE`, `KNOWN_HOSTS_UNWRITABLE`, `LOGIN_REFUSED`, `KEY_ENCRYPTED`,
 * `KEY_PASSPHRASE`, and those of {@link findIdentities}; all of kind check
 */
export async function connect(target: Target, parts: ConnectParts, signal: AbortSignal): Promise<Connection> {
  const tried = new Set<string>()
  let misfit: Problem | undefined
  const begun = performance.now()
  for (let attempt = 1; ;) {
    const known = await readKnownHosts(target.name, target.settings.knownHostsFiles)
    // Somebody may be being asked for the passphrase of one of them.
    const identities = await unlessAborted(findIdentities(target, parts.ring), signal)
    try {
      return await once(target, parts, { target, known, identities, tried, notify: parts.notify }, signal)
    } catch (error) {
      if (!(error instanceof Setback)) throw error
      const { problem, remedy } = error
      if (remedy === 'again' && attempt < TRIES && performance.now() - begun < RETRY_WINDOW) {
        // Others were sent away by the same crowded door: do not come back all at once.
        await pause(attempt++ * 200 * (1 + Math.random()), signal)
      } else if (remedy === 'other-key') misfit ??= problem
      else if (remedy === 'unlock') {
        const [file] = [...identities.wanted, ...identities.closed]
        if (!file || !(await unlessAborted(parts.ring.unlock(file, target.name), signal)))
          throw identities.wanted[0] ? keyEncrypted(target.name, identities.wanted[0]) : problem
      } else throw misfit && NO_OTHER_KEY.has(problem.code) ? misfit : problem
    }
  }
}

type Once = Omit<Parameters<typeof login>[0], 'heard'>

async function once(
  target: Target,
  { jump, handshakes }: ConnectParts,
  attempt: Once,
  signal: AbortSignal,
): Promise<Connection> {
  const leave = await handshakes.enter(signal)
  const silence = setTimeout(leave, SILENCE)
  try {
    const link = await reach(target, jump, signal)
    const heard = (): void => clearTimeout(silence)
    return await login({ ...attempt, heard }, link, signal)
  } catch (error) {
    // A link that was cut from this side explains nothing.
    throw signal.aborted ? new Aborted() : error
  } finally {
    clearTimeout(silence)
    leave()
  }
}
