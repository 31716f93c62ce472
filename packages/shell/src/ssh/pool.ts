import { setMaxListeners } from 'node:events'
import { type AskHidden, type Host, isProblem, Problem } from '@deployfile/core'
import { connect } from './connect.ts'
import type { Connection } from './connection.ts'
import { createGate, type Gate, unlessAborted } from './gate.ts'
import { createKeyRing } from './key-ring.ts'
import { createResolver, type Target } from './target.ts'

/** Connections of one run. */
export interface Pool {
  /** The host's connection, made when there is none; everybody who asks meanwhile waits for the same one. */
  connection(host: Host): Promise<Connection>
  close(): Promise<void>
}

export interface PoolOptions {
  /** In place of ~/.ssh/config and /etc/ssh/ssh_config. */
  readonly configFile: string | undefined
  /** For passphrases; undefined where nobody can be asked. */
  readonly askHidden: AskHidden | undefined
  /** Told of what a person should know though nothing failed: a new host key was accepted. */
  readonly notify: (message: string) => void
}

/** sshd turns away at random from 10 logins in progress on (MaxStartups 10:30:100). */
const HANDSHAKES = 8

/**
 * A host that kept us waiting is not asked again for this long: undo and clean-up must not wait for it once more each. Neither is one
 * that does not trust us or that we do not trust: asking it again and again gets an address shut out.
 */
const REMEMBER_FAILURE = 15_000
/** What failed faster than this may be tried again at once, when it is of a kind that passes. */
const QUICK = 3_000

export function createPool({ configFile, askHidden, notify }: PoolOptions): Pool {
  /** By what makes a connection another one; jump hosts too, which many share. */
  const open = new Map<string, Promise<Connection>>()
  /** By where the handshake comes from: from here, or from a jump host. */
  const handshakes = new Map<string, Gate>()
  const closing = new AbortController()
  // One listener for each host that is being connected.
  setMaxListeners(0, closing.signal)
  const resolver = createResolver(configFile, closing.signal)
  const ring = createKeyRing(askHidden)

  const closed = (name: string): Problem =>
    new Problem('task', 'CONNECTION_LOST', `${name}: the run has closed its connections`, {
      host: name,
      retryable: false,
    })
  /** The connection of this key, made at most once at a time, and forgotten when it is lost. */
  const shared = (key: string, name: string, make: () => Promise<Connection>): Promise<Connection> => {
    if (closing.signal.aborted) return Promise.reject(closed(name))
    const known = open.get(key)
    if (known) return known
    const begun = performance.now()
    const made = make().catch((error: unknown) => {
      throw closing.signal.aborted ? closed(name) : error
    })
    open.set(key, made)
    const forget = (): void => {
      if (open.get(key) === made) open.delete(key)
    }
    made.then(
      (connection) => connection.onLost(forget),
      (error: unknown) => {
        const passing = isProblem(error) && error.details.retryable === true
        if (passing && performance.now() - begun < QUICK) forget()
        else setTimeout(forget, REMEMBER_FAILURE).unref()
      },
    )
    return made
  }
  const gateOf = (from: string): Gate => {
    let gate = handshakes.get(from)
    if (!gate) handshakes.set(from, (gate = createGate(HANDSHAKES)))
    return gate
  }
  const reachTarget = async (target: Target): Promise<Connection> => {
    const { through } = target
    const from = through ? keyOf(through) : ''
    const jump = through && (await shared(from, through.name, () => reachTarget(through)))
    return connect(target, { ring, jump, handshakes: gateOf(from), notify }, closing.signal)
  }
  return {
    connection(host) {
      const { address, user, port, hostKey, hostKeys } = host
      const key = JSON.stringify([address, user, port, hostKey, hostKeys])
      return shared(key, host.name, async () => {
        try {
          // ssh may be at a `Match exec` of the user's.
          return await reachTarget(await unlessAborted(resolver.target(host), closing.signal))
        } catch (error) {
          throw onTheWay(host.name, error)
        }
      })
    },
    async close() {
      closing.abort()
      const all = [...open.values()]
      open.clear()
      const made = await Promise.allSettled(all)
      const connections = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      // Those behind a jump host say goodbye before it goes.
      const depth = ({ target }: Connection): number => hops(target)
      for (const at of [...new Set(connections.map(depth))].sort((a, b) => b - a))
        await Promise.all(connections.filter((one) => depth(one) === at).map((one) => one.close()))
    },
  }
}

function hops({ through }: Target): number {
  return through ? 1 + hops(through) : 0
}

/** A jump host is the same whoever goes through it, unless it is to be believed otherwise. */
function keyOf({ settings, hostKeys, through }: Target): string {
  const { alias, hostname, port, user } = settings
  return JSON.stringify(['jump', alias, hostname, port, user, hostKeys, through && keyOf(through)])
}

/** A problem of a jump host is one of the host behind it. */
function onTheWay(host: string, error: unknown): unknown {
  if (!isProblem(error) || error.details.host === undefined || error.details.host === host) return error
  const { cause: _, ...details } = error.details
  return new Problem(error.kind, error.code, `${host}: on the way to it, ${error.message}`, {
    ...details,
    host,
    cause: error,
  })
}
