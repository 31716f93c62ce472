import { createServer, type Server, type Socket } from 'node:net'
import { type Duplex, finished } from 'node:stream'
import {
  isProblem,
  type ForwardFailure,
  type Forwarding,
  type ForwardOptions,
  type ForwardTarget,
} from '@deployfile/core'
import type { Shared } from '../command/shared.ts'
import type { Transport } from '../transport.ts'
import { isOwnConnection } from './own-connection.ts'
import { privateFolder } from './private-folder.ts'

export interface ForwardingParts {
  readonly transport: Transport
  readonly shared: Pick<Shared, 'forwardings'>
}

/**
 * A listener on this machine; each connection to it becomes one of the host to the server. A unix socket in a folder of ours, because a
 * port of 127.0.0.1 lets every user of this machine in, where the server may trust whoever comes from the host.
 */
export async function openForwarding(
  { transport, shared }: ForwardingParts,
  to: ForwardTarget,
  { as = 'socket', name = 'socket' }: ForwardOptions,
): Promise<Forwarding> {
  const failures: ForwardFailure[] = []
  // Not the run's own signal: a program that is stopped may have to tell the server so, by another connection (PQcancel).
  const closing = new AbortController()
  const open = new Set<Duplex>()
  const lead = async (socket: Socket): Promise<void> => {
    if (as === 'port' && !(await isOwnConnection(socket))) {
      socket.destroy()
      return
    }
    const lost = (reason: string): void => {
      if (open.has(socket)) failures.push({ kind: 'lost', reason })
    }
    try {
      const far = await transport.dial(to, closing.signal, lost)
      if (socket.destroyed) far.destroy()
      else join(socket, far, open)
    } catch (error) {
      if (!failures.some(({ kind, reason }) => kind === 'lost' && reason === wordsOf(error)))
        // The host answers in words of its own; a Problem is of the way to it.
        failures.push({ kind: isProblem(error) ? 'lost' : 'refused', reason: wordsOf(error) })
      socket.destroy()
    }
  }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => open.delete(socket))
    void lead(socket)
  })
  const folder = as === 'socket' ? privateFolder(name) : undefined
  try {
    await listen(server, folder?.file)
  } catch (error) {
    folder?.remove()
    throw error
  }
  const address = server.address()
  const forwarding: Forwarding = {
    path: folder?.file ?? '',
    port: typeof address === 'object' && address ? address.port : 0,
    connect: (signal) => transport.connect(signal),
    failures: () => failures,
    async close() {
      shared.forwardings.delete(forwarding)
      closing.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const stream of open) stream.destroy()
      await closed
      folder?.remove()
    },
  }
  shared.forwardings.add(forwarding)
  return forwarding
}

/** The whole of each direction, half-closed as the other side closes; an end that breaks takes the other with it. */
function join(near: Socket, far: Duplex, open: Set<Duplex>): void {
  open.add(far)
  near.pipe(far)
  far.pipe(near)
  finished(near, () => far.destroy())
  finished(far, () => {
    open.delete(far)
    // What has arrived is still given to the near side, and what it goes on to say is read, so that it never waits to be heard.
    near.end()
    near.resume()
  })
}

function listen(server: Server, path: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const ready = (): void => {
      server.off('error', reject)
      // An accepted connection that could not be had is no reason to end this process.
      server.on('error', () => undefined)
      resolve()
    }
    if (path === undefined) server.listen({ host: '127.0.0.1', port: 0 }, ready)
    else server.listen({ path }, ready)
  })
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
