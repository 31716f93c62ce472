import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Host } from '@deployfile/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRunning } from '../../../test/servers/marked-processes.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { type Proxy, startProxy } from '../../../test/servers/proxy.ts'

describe.runIf(servicesFound('sshd'))('a link that breaks', () => {
  let site: Site
  let proxy: Proxy
  let host: Host
  beforeAll(async () => {
    site = await startSite()
    proxy = await startProxy(site.sshd.port)
    host = hostNamed('web1', { port: proxy.port, hostKey: [site.sshd.hostKeyFingerprint] })
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })
  const shell = (signal?: AbortSignal) => shellOf(site.shells, host, signal)
  const thereAre = (name: string): string[] =>
    readdirSync(site.sshd.home).filter((entry) => entry.includes(name))

  test.each(['reset', 'end'] as const)(
    '%s during a command: lost, may have run; the next one connects anew, and finds nothing of it left',
    async (fault) => {
      await shell().test`true`
      const before = proxy.connections
      const running = problemOf(shell().sh`echo $$ > pid-${fault}; exec sleep 1000`)
      await until(() => thereAre(`pid-${fault}`).length === 1)
      proxy.breakNow(fault)
      const problem = await running
      expect(problem).toMatchObject({ code: 'CONNECTION_LOST', kind: 'task' })
      expect(problem.message).toContain('nobody knows whether')
      expect(problem.details.command?.mayHaveRun).toBe(true)
      expect(await shell().capture`echo again`).toBe('again')
      expect(proxy.connections).toBe(before + 1)
      // The first thing that was done over the new connection.
      expect(isRunning(Number(readFileSync(join(site.sshd.home, `pid-${fault}`), 'utf8')))).toBe(false)
    },
  )

  test('eight commands at once are all lost, none hangs', async () => {
    const running = Array.from({ length: 8 }, (_, at) => problemOf(shell().sh`touch eight-${at}; sleep 5`))
    await until(() => thereAre('eight-').length === 8)
    proxy.breakNow('reset')
    const codes = (await Promise.all(running)).map((problem) => problem.code)
    expect(codes).toEqual(Array.from({ length: 8 }, () => 'CONNECTION_LOST'))
  })

  test('half an answer is no answer', async () => {
    await shell().test`true`
    let lines = 0
    const talking = shellOf(site.shells, host, undefined, (event) => {
      if (event.type === 'command.output' && ++lines === 50) proxy.breakNow('end')
    })
    // More than fits into everything between there and here, so that its end cannot be on its way already.
    expect((await problemOf(talking.capture`yes | head -c 100000000`)).code).toBe('CONNECTION_LOST')
  })

  test('a cancel on a link that went silent settles in 9 s, and says that nobody knows', async () => {
    const stop = new AbortController()
    const running = problemOf(shell(stop.signal).sh`touch silent; sleep 20`)
    await until(() => thereAre('silent').length === 1)
    proxy.breakNow('stall')
    const begun = performance.now()
    stop.abort()
    const problem = await running
    expect(problem.code).toBe('COMMAND_CANCELLED')
    expect(problem.message).toContain('it may still be running on web1')
    expect(performance.now() - begun).toBeLessThan(9_000)
    proxy.breakNow('reset')
  })

  test('a script cut on its way does not run by half', async () => {
    const own = await freshSite(site)
    const fresh = own.open(host)
    await fresh.test`true`
    proxy.breakAfter('up', 40_000, 'end')
    await problemOf(fresh.script(`echo half > ran-by-half\n${': padding\n'.repeat(20_000)}`))
    proxy.mend()
    await own.close()
    // Long enough for the half to be read and refused.
    expect(await shell().capture`sleep 0.3; ls`).not.toContain('ran-by-half')
  })
})

test('a host that accepts and stays silent fails in about 20 s', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { createShells } = await import('@deployfile/shell')
  const shells = createShells({ root: '.', sshConfig: '/dev/null' })
  const port = (server.address() as AddressInfo).port
  const begun = performance.now()
  const silent = hostNamed('mute', { address: `deploy@127.0.0.1:${String(port)}` })
  const problem = await problemOf(shellOf(shells, silent).sh`true`)
  const took = performance.now() - begun
  expect(problem).toMatchObject({ code: 'HOST_UNREACHABLE', kind: 'check' })
  expect(problem.message).toBe(
    `mute: 127.0.0.1:${String(port)} accepted the connection but stayed silent for 20 s`,
  )
  expect(took).toBeGreaterThan(19_000)
  expect(took).toBeLessThan(22_000)
  // Undo and clean-up of the same run do not wait again.
  await problemOf(shellOf(shells, silent).sh`true`)
  expect(performance.now() - begun - took).toBeLessThan(500)
  await shells.close()
  server.close()
})

test('closing while a host is silent ends the waiting at once', async () => {
  const server = createServer((socket) => void socket.resume().on('error', () => undefined)).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const { createShells } = await import('@deployfile/shell')
  const shells = createShells({ root: '.', sshConfig: '/dev/null' })
  const port = (server.address() as AddressInfo).port
  const waiting = problemOf(
    shellOf(shells, hostNamed('mute', { address: `deploy@127.0.0.1:${String(port)}` })).sh`true`,
  )
  await once(server, 'connection')
  await shells.close()
  expect(await waiting).toMatchObject({
    code: 'CONNECTION_LOST',
    message: 'mute: the run has closed its connections',
  })
  server.close()
})

test('nothing listens: said at once, with a line to try', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = (server.address() as AddressInfo).port
  server.close()
  await once(server, 'close')
  const { createShells } = await import('@deployfile/shell')
  const shells = createShells({ root: '.', sshConfig: '/dev/null' })
  const problem = await problemOf(
    shellOf(shells, hostNamed('down', { address: `deploy@127.0.0.1:${String(port)}` })).sh`true`,
  )
  expect(problem).toMatchObject({ code: 'HOST_UNREACHABLE', kind: 'check' })
  expect(problem.message).toContain('the connection was refused, nothing listens there')
  expect(problem.details.hint).toBe(`Try: ssh -p ${String(port)} deploy@127.0.0.1 true`)
  await shells.close()
})

/** A provider of its own, so that the cut falls at the same byte each time: nothing is connected yet. */
async function freshSite(site: Site) {
  const { createShells } = await import('@deployfile/shell')
  const shells = createShells({ root: site.here, sshConfig: site.config })
  return { open: (host: Host) => shellOf(shells, host), close: () => shells.close() }
}
