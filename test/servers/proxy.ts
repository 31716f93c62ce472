import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** 'leave': the near side is reset, and the server is never told. 'garble': one byte is changed, and all else passes. */
export type Fault = 'reset' | 'end' | 'stall' | 'garble' | 'leave'

export interface Proxy extends AsyncDisposable {
  readonly port: number
  readonly connections: number
  /** That have gone through it so far, in all. */
  readonly passed: Readonly<Record<'up' | 'down', number>>
  /** Does this to every connection once so many bytes have gone through it in a direction, counted from its start. */
  breakAfter(direction: 'up' | 'down', bytes: number, fault: Fault): void
  breakNow(fault: Fault): void
  /** From now on all goes through again, for new connections. */
  mend(): void
}

/** A link that can be cut at any byte. 'up' is towards the server. */
export async function startProxy(target: number): Promise<Proxy> {
  let plan: { direction: 'up' | 'down'; bytes: number; fault: Fault } | undefined
  let connections = 0
  const all = { up: 0, down: 0 }
  const pairs = new Set<readonly [Socket, Socket]>()

  const break_ = ([near, far]: readonly [Socket, Socket], fault: Fault): void => {
    if (fault === 'stall') {
      for (const socket of [near, far]) socket.removeAllListeners('data').pause()
    } else if (fault === 'leave') {
      near.removeAllListeners('close').resetAndDestroy()
    } else if (fault === 'reset') {
      near.resetAndDestroy()
      far.resetAndDestroy()
    } else {
      near.end()
      far.end()
    }
  }
  const server = createServer((near) => {
    connections++
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    const carry = (from: Socket, to: Socket, direction: 'up' | 'down'): void => {
      let passed = 0
      from.on('data', (chunk: Buffer) => {
        const limit = plan?.direction === direction ? plan.bytes - passed : Infinity
        passed += chunk.length
        all[direction] += chunk.length
        if (plan?.fault === 'garble') {
          to.write(garbled(chunk, limit))
          return
        }
        to.write(chunk.subarray(0, Math.max(0, limit)))
        if (plan && chunk.length >= limit) break_(pair, plan.fault)
      })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
    }
    carry(near, far, 'up')
    carry(far, near, 'down')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    passed: all,
    get connections() {
      return connections
    },
    breakAfter: (direction, bytes, fault) => (plan = { direction, bytes, fault }),
    breakNow(fault) {
      for (const pair of pairs) break_(pair, fault)
    },
    mend: () => (plan = undefined),
    async [Symbol.asyncDispose]() {
      for (const [near, far] of pairs) {
        near.destroy()
        far.destroy()
      }
      server.close()
      await once(server, 'close')
    },
  }
}

function garbled(chunk: Buffer, at: number): Buffer {
  if (at < 0 || at >= chunk.length) return chunk
  const copy = Buffer.from(chunk)
  copy.writeUInt8(copy.readUInt8(at) ^ 0xff, at)
  return copy
}
