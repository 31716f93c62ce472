import { setMaxListeners } from 'node:events'
import { type Host, Problem } from '@deployfile/core'
import { connect, type Connection } from './connect.ts'
import { createGate } from './gate.ts'
import { resolveHost } from './resolve.ts'

/** Connections of one run. */
export interface Pool {
  /** The host's connection, made when there is none; everybody who asks meanwhile waits for the same one. */
  connection(host: Host): Promise<Connection>
  close(): Promise<void>
}

/** sshd turns away at random from 10 logins in progress on (MaxStartups 10:30:100). */
const HANDSHAKES = 8

/** A host that could not be reached is not asked again for this long: undo and clean-up must not wait for it once more each. */
const REMEMBER_FAILURE = 15_000

export function createPool(configFile: string | undefined): Pool {
  const open = new Map<string, Promise<Connection>>()
  const handshakes = createGate(HANDSHAKES)
  const closing = new AbortController()
  // One listener for each host that is being connected.
  setMaxListeners(0, closing.signal)

  const closed = (host: Host): Problem =>
    new Problem('task', 'CONNECTION_LOST', `${host.name}: the run has closed its connections`, {
      host: host.name,
    })
  const make = async (host: Host): Promise<Connection> => {
    const settings = await resolveHost(host, configFile)
    let leave: (() => void) | undefined
    try {
      leave = await handshakes.enter(closing.signal)
      return await connect(host, settings, closing.signal)
    } catch (error) {
      throw closing.signal.aborted ? closed(host) : error
    } finally {
      leave?.()
    }
  }
  return {
    connection(host) {
      if (closing.signal.aborted) return Promise.reject(closed(host))
      const key = JSON.stringify([host.address, host.user, host.port, host.hostKey])
      const known = open.get(key)
      if (known) return known
      const made = make(host)
      open.set(key, made)
      const forget = (): void => {
        if (open.get(key) === made) open.delete(key)
      }
      made.then(
        (connection) => connection.onLost(forget),
        () => setTimeout(forget, REMEMBER_FAILURE).unref(),
      )
      return made
    },
    async close() {
      closing.abort()
      const all = [...open.values()]
      open.clear()
      await Promise.all(
        all.map((made) =>
          made.then(
            (connection) => connection.close(),
            () => undefined,
          ),
        ),
      )
    },
  }
}
