import { once } from 'node:events'
import { connect as openSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import { unreachable, proxyFailed } from './connect-problem.ts'
import type { Connection } from './connection.ts'
import { unlessAborted } from './gate.ts'
import type { Link } from './link.ts'
import { startProxyCommand } from './proxy-command.ts'
import type { Target } from './target.ts'

/** Milliseconds until a connection stands (ConnectTimeout). */
const TCP_TIMEOUT = 10_000

/**
 * A connection to the target: through its jump host, by its ProxyCommand, or straight.
 * @throws Setback
 */
export async function reach(
  target: Target,
  jump: Connection | undefined,
  signal: AbortSignal,
): Promise<Link> {
  if (jump) return forwarded(target, jump, signal)
  const { proxyCommand } = target.settings
  if (proxyCommand === undefined) return straight(target, signal)
  const proxy = startProxyCommand(proxyCommand)
  // ssh2 adds its own listener; this one covers the time before and after.
  proxy.stream.on('error', () => undefined)
  return {
    stream: proxy.stream,
    address: undefined,
    hangUp: () => void proxy.stream.destroy(),
    setback() {
      const how = proxy.ended()
      return how === undefined ? undefined : proxyFailed(target, how)
    },
  }
}

async function straight(target: Target, signal: AbortSignal): Promise<Link> {
  const { hostname, port, family, bindAddress, connectTimeout } = target.settings
  const socket = openSocket({
    host: hostname,
    port,
    // Without it every command waits for a delayed acknowledgement, 25-50 ms each (measured).
    noDelay: true,
    // Node gives each address of a name 250 ms, too little for another continent.
    autoSelectFamilyAttemptTimeout: 2_500,
    ...(family !== undefined && { family }),
    ...(bindAddress !== undefined && { localAddress: bindAddress }),
  })
  socket.on('error', () => undefined)
  const limit = connectTimeout ?? TCP_TIMEOUT
  const late = AbortSignal.timeout(limit)
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, late]) })
  } catch (cause) {
    socket.destroy()
    throw unreachable(target, late.aborted ? { timeout: limit } : { cause })
  }
  return {
    stream: socket,
    address: socket.remoteAddress,
    hangUp: () => void socket.destroy(),
    setback: () => undefined,
  }
}

async function forwarded(target: Target, jump: Connection, signal: AbortSignal): Promise<Link> {
  const { hostname, port, connectTimeout } = target.settings
  const limit = connectTimeout ?? TCP_TIMEOUT
  const late = AbortSignal.timeout(limit)
  let wanted = true
  const opening = new Promise<Duplex>((resolve, reject) => {
    // Throws at once when the jump host's socket is closed already.
    jump.client.forwardOut('127.0.0.1', 0, hostname, port, (error, channel) => {
      if (error) reject(error)
      else if (wanted) resolve(channel)
      else channel.close()
    })
  })
  try {
    const stream = await unlessAborted(opening, AbortSignal.any([signal, late]))
    stream.on('error', () => undefined)
    return { stream, address: undefined, hangUp: () => void stream.destroy(), setback: () => undefined }
  } catch (cause) {
    wanted = false
    const lost = jump.lost()
    throw unreachable(
      target,
      late.aborted ? { timeout: limit } : { cause, ...(lost !== undefined && { lost }) },
    )
  }
}
