import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf } from '../test/contract.ts'
import { type Desk, makeDesk, shellTo } from './ssh-server.ts'

/** The lists of the first packet of a key exchange (RFC 4253, 7.1), in their order. */
const LISTS = ['kex', 'hostKey', 'cipherUp', 'cipherDown', 'macUp', 'macDown'] as const
type Offer = Readonly<Record<(typeof LISTS)[number], readonly string[]>>

function offerIn(packet: Buffer): Offer {
  // Length, padding, type (20), 16 bytes of cookie; then name-lists.
  expect(packet.readUInt8(5)).toBe(20)
  let at = 22
  const lists = LISTS.map((name) => {
    const end = at + 4 + packet.readUInt32BE(at)
    const names = packet.toString('latin1', at + 4, end).split(',')
    at = end
    return [name, names] as const
  })
  return Object.fromEntries(lists) as unknown as Offer
}

describe('what is offered to a host before anything is known of it', () => {
  const temp = tempFolder('offer')
  const path = process.env['PATH']
  let desk: Desk
  let at = 0
  beforeEach(() => {
    desk = makeDesk(temp.path, String(++at))
  })
  afterEach(() => {
    process.env['PATH'] = path
  })
  afterAll(() => temp.remove())

  /** Of a client under these lines of ssh_config, by a server that says no more than its first line. */
  const offered = async (config: string): Promise<Offer> => {
    let told: (offer: Offer) => void = () => undefined
    const offer = new Promise<Offer>((resolve) => (told = resolve))
    const server = createServer((socket) => {
      let heard = Buffer.alloc(0)
      socket
        .on('error', () => undefined)
        .on('data', (chunk: Buffer) => {
          heard = Buffer.concat([heard, chunk])
          const start = heard.indexOf('\n') + 1
          const packet = heard.subarray(start)
          if (start === 0 || packet.length < 4 || packet.length < 4 + packet.readUInt32BE(0)) return
          told(offerIn(packet))
        })
      socket.write('SSH-2.0-Ear\r\n')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { shell, close } = shellTo({ port: (server.address() as AddressInfo).port }, desk, { config })
    const refused = problemOf(shell.sh`true`)
    const heard = await offer
    await close()
    await refused
    server.close()
    return heard
  }
  /** Broken, or as good as none. */
  const WEAK = /sha1|md5|-96|^ssh-rsa$|^ssh-dss$|cbc|arcfour|^none$/

  test.each([
    ['as ssh would', ''],
    ['as ssh_config wishes', '  MACs hmac-sha1,hmac-sha2-256\n  HostKeyAlgorithms ssh-rsa,ssh-ed25519\n'],
    ['without ssh on this machine', undefined],
  ])('is nothing weak: %s', async (_, config) => {
    if (config === undefined) process.env['PATH'] = '/nowhere'
    const offer = await offered(config ?? '')
    for (const [list, names] of Object.entries(offer)) {
      expect(
        names.filter((name) => WEAK.test(name)),
        list,
      ).toEqual([])
      expect(names.length, list).toBeGreaterThan(0)
    }
    if (config !== undefined && config !== '')
      expect([offer.macUp, offer.macDown, offer.hostKey]).toEqual([
        ['hmac-sha2-256'],
        ['hmac-sha2-256'],
        ['ssh-ed25519'],
      ])
  })

  test('packets are sent at once (TCP_NODELAY)', async () => {
    const sockets: Socket[] = []
    const note = (message: unknown): void =>
      void sockets.push((message as { readonly socket: Socket }).socket)
    subscribe('net.client.socket', note)
    await offered('')
    unsubscribe('net.client.socket', note)
    // What Node tells the system of a socket; it has no other way to be asked.
    const symbol = Object.getOwnPropertySymbols(sockets[0] ?? {}).find(
      ({ description }) => description === 'kSetNoDelay',
    )
    const flags = sockets.map(
      (socket) => (socket as unknown as Record<symbol, unknown>)[symbol ?? Symbol('none')],
    )
    expect(flags.length).toBeGreaterThan(0)
    expect(new Set(flags)).toEqual(new Set([true]))
  })
})
