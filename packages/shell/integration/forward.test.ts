import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import type { Shell } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { type Proxy, startProxy } from '../../../test/servers/proxy.ts'

describe.runIf(servicesFound('sshd'))('doors on this machine that lead through a host', () => {
  let site: Site
  let proxy: Proxy
  let echo: Server
  let port: number
  const visitors = new Set<Socket>()
  beforeAll(async () => {
    site = await startSite()
    proxy = await startProxy(site.sshd.port)
    // Says everything back, and ends when the other side has.
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      visitors.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => visitors.delete(socket))
      socket.pipe(socket)
    }).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    port = (echo.address() as AddressInfo).port
  })
  afterAll(async () => {
    echo.close()
    for (const socket of visitors) socket.destroy()
    await proxy[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })
  const shell = (): Shell => shellOf(site.shells, hostNamed('web1'))
  const overProxy = (): Shell =>
    shellOf(site.shells, hostNamed('web1', { port: proxy.port, hostKey: [site.sshd.hostKeyFingerprint] }))
  const say = async (to: { path: string } | { port: number }, content: string | Buffer): Promise<Buffer> => {
    const socket = connect({ host: '127.0.0.1', ...to, allowHalfOpen: true })
    socket.end(content)
    return buffer(socket)
  }

  test('a socket in a folder that nobody else may enter, for a server reached by TCP', async () => {
    await using door = disposing(
      await shell().forward({ host: '127.0.0.1', port }, { name: '.s.PGSQL.5432' }),
    )
    expect(door.path).toMatch(/\/\.s\.PGSQL\.5432$/)
    expect(statSync(dirname(door.path)).mode & 0o7777).toBe(0o700)
    const content = Buffer.alloc(3_000_000, 'some text, ')
    const [one, two] = await Promise.all([say(door, content), say(door, 'hello')])
    expect(one.equals(content)).toBe(true)
    expect(two.toString()).toBe('hello')
    expect(door.failures()).toEqual([])
  })

  test('a unix socket on the host', async () => {
    const path = join(site.sshd.home, 'echo.sock')
    const there = createServer((socket) => socket.end('from the socket')).listen(path)
    await once(there, 'listening')
    await using door = disposing(await shell().forward({ path }))
    expect(await text(connect(door.path))).toBe('from the socket')
    there.close()
  })

  test('a port, where a program takes nothing else', async () => {
    await using door = disposing(await shell().forward({ host: '127.0.0.1', port }, { as: 'port' }))
    expect(door.port).toBeGreaterThan(1023)
    expect((await say({ port: door.port }, 'hello')).toString()).toBe('hello')
  })

  test('a server that the host cannot reach ends the connection, and the reason is kept', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    gone.close()
    await once(gone, 'close')
    await using door = disposing(await shell().forward({ host: '127.0.0.1', port }))
    expect(await text(connect(door.path))).toBe('')
    expect(door.failures()).toMatchObject([
      { kind: 'refused', reason: expect.stringMatching(/refused/i) as string },
    ])
  })

  test('a link that breaks in the middle ends the connection, and that is kept; the next one gets a new link', async () => {
    await using door = disposing(await overProxy().forward({ host: '127.0.0.1', port }))
    const socket = connect(door.path)
    socket.write('one')
    await once(socket, 'data')
    proxy.breakNow('reset')
    await once(socket.resume(), 'end')
    socket.destroy()
    await until(() => door.failures().length > 0)
    expect(door.failures()).toMatchObject([{ kind: 'lost' }])
    proxy.mend()
    expect((await say(door, 'again')).toString()).toBe('again')
  })

  test('a host that forbids it says so', async () => {
    await using strict = await startSite({
      config: ['AllowTcpForwarding no', 'AllowStreamLocalForwarding no'],
    })
    const closed = shellOf(strict.shells, hostNamed('web1'))
    for (const to of [{ host: '127.0.0.1', port }, { path: '/run/nothing' }]) {
      await using door = disposing(await closed.forward(to))
      expect(await text(connect(door.path))).toBe('')
      expect(door.failures()).toMatchObject([
        { kind: 'refused', reason: expect.stringMatching(/./) as string },
      ])
    }
  })

  test('closed: nobody comes in, who is inside is shown out, the folder is gone; also with the run', async () => {
    const shells = createShells({ root: site.here, sshConfig: site.config })
    const open = () => shellOf(shells, hostNamed('web1')).forward({ host: '127.0.0.1', port })
    const [first, second] = [await open(), await open()]
    const inside = [first, second].map(({ path }) => connect(path))
    for (const socket of inside) {
      socket.write('x')
      await once(socket, 'data')
    }
    const [firstOut, secondOut] = inside.map((socket) => once(socket.resume(), 'close'))
    await first.close()
    await firstOut
    expect(existsSync(dirname(first.path))).toBe(false)
    expect(existsSync(second.path)).toBe(true)
    await shells.close()
    await secondOut
    expect(existsSync(dirname(second.path))).toBe(false)
    await until(() => visitors.size === 0)
  })
})

describe('a host that is this machine', () => {
  test('leads straight to the server', async () => {
    const server = createServer((socket) => socket.end('here')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const shells = createShells({ root: '/' })
    const host = hostNamed('here', { transport: 'local' })
    const door = await shellOf(shells, host).forward({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    })
    expect(await text(connect(door.path))).toBe('here')
    await shells.close()
    expect(existsSync(door.path)).toBe(false)
    server.close()
  })
})

function disposing<T extends { close(): Promise<void> }>(door: T): T & AsyncDisposable {
  return Object.assign(door, { [Symbol.asyncDispose]: () => door.close() })
}
