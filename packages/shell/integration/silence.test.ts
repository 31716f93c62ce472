import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Host } from '@deployfile/core'
import ssh2, { type Connection as ServerSide } from 'ssh2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { type Proxy, startProxy } from '../../../test/servers/proxy.ts'
import { answering, fingerprintOf, makeDesk, shellTo, startServer } from './ssh-server.ts'

const SFTP_SERVER = ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server'].find(existsSync)

describe.runIf(servicesFound('sshd')).concurrent('a host that falls silent after the login', () => {
  let site: Site
  beforeAll(async () => {
    site = await startSite()
  })
  afterAll(() => site[Symbol.asyncDispose]())

  /** Through a proxy of its own, so that each can fall silent by itself. */
  const through = (proxy: Proxy): Host =>
    hostNamed('web1', { port: proxy.port, hostKey: [site.sshd.hostKeyFingerprint] })

  test('fails the command, and the undo that connects once more, within 45 s in all', async ({ expect }) => {
    await using proxy = await startProxy(site.sshd.port)
    const shell = shellOf(site.shells, through(proxy))
    await shell.sh`true`
    const { up, down } = proxy.passed
    // New connections fall silent as well, in the middle of their handshake.
    proxy.breakAfter('down', 500, 'stall')
    proxy.breakNow('stall')
    const begun = performance.now()
    const problem = await problemOf(shell.sh`touch never`)
    expect(problem.message).toBe(
      'web1: the connection was lost (no answer for 20 s); touch never did not start',
    )
    expect(problem).toMatchObject({
      code: 'CONNECTION_LOST',
      details: { retryable: true, command: { mayHaveRun: false } },
    })
    const took = performance.now() - begun
    expect(took).toBeGreaterThan(14_000)
    expect(took).toBeLessThan(24_000)
    // It was not asked a second time by itself.
    expect(proxy.connections).toBe(1)
    expect((await problemOf(shell.sh`touch undone`)).code).toBe('HOST_UNREACHABLE')
    await problemOf(shell.sh`touch unlocked`)
    expect(performance.now() - begun).toBeLessThan(45_000)
    expect([up, down].every((bytes) => bytes > 0)).toBe(true)
  }, 60_000)

  test('a login that is never answered is given up after 20 s, and not tried again', async ({ expect }) => {
    await using folder = tempFolder('unanswered')
    let logins = 0
    const server = await startServer(['ed25519'], { onAuthentication: () => (logins += 1) })
    const { shell, close } = shellTo(server, makeDesk(folder.path, 'desk'), {
      host: { hostKey: [fingerprintOf(server.publicKeys[0]!)] },
    })
    const begun = performance.now()
    const problem = await problemOf(shell.sh`true`)
    const took = performance.now() - begun
    expect(problem).toMatchObject({ code: 'HOST_UNREACHABLE', kind: 'check', details: { retryable: true } })
    expect(problem.message).toBe(
      `web1: 127.0.0.1:${String(server.port)} did not finish the login within 20 s`,
    )
    expect(logins).toBe(1)
    expect(took).toBeGreaterThan(19_000)
    expect(took).toBeLessThan(24_000)
    await close()
    await server.close()
  }, 60_000)

  test('a command that was running may have run', async ({ expect }) => {
    await using proxy = await startProxy(site.sshd.port)
    const shell = shellOf(site.shells, { ...through(proxy), name: 'web2' })
    const running = problemOf(shell.sh`touch runs; sleep 100`)
    await until(() => existsSync(`${site.sshd.home}/runs`))
    proxy.breakNow('stall')
    const problem = await running
    expect(problem.message).toBe(
      'web2: the connection was lost (no answer for 20 s); nobody knows whether touch runs; sleep 100 ran to its end',
    )
    expect(problem.details.command?.mayHaveRun).toBe(true)
  }, 60_000)

  test('a host is not made to prove keys that nobody asks about', async ({ expect }) => {
    await using own = await startSite({ config: ['LogLevel DEBUG1'] })
    expect(await shellOf(own.shells, hostNamed('web1')).capture`echo in`).toBe('in')
    await own.shells.close()
    // All that it has to say of this connection has come.
    await until(() => /Received disconnect|Connection closed by/.test(own.sshd.log()))
    expect(own.sshd.log()).not.toContain('hostkeys-prove')
    // What ssh2 does when it is left to itself; without this the line above would prove nothing.
    const client = new ssh2.Client()
    client.on('error', () => undefined)
    client.connect({
      host: '127.0.0.1',
      port: own.sshd.port,
      username: own.sshd.user,
      privateKey: readFileSync(own.sshd.privateKeyPath),
    })
    await once(client, 'hostkeys')
    client.end()
    await until(() => own.sshd.log().includes('hostkeys-prove'))
  })

  test('a login that is given a file transfer server for a shell: no command hangs, and files go by SFTP', async ({
    expect,
  }) => {
    await using own = await startSite({ config: [`ForceCommand ${String(SFTP_SERVER)}`] })
    const shell = shellOf(own.shells, hostNamed('web1'))
    const path = `${own.sshd.home}/file`
    const begun = performance.now()
    const [problem] = await Promise.all([problemOf(shell.sh`true`), shell.writeFile(path, 'content')])
    expect(performance.now() - begun).toBeLessThan(40_000)
    expect(problem).toMatchObject({
      code: 'LOGIN_SHELL',
      kind: 'check',
      message: 'web1: the login shell did not run true within 30 s',
      details: { command: { mayHaveRun: false } },
    })
    expect(problem.details.hint).toContain('a forced command')
    const again = performance.now()
    expect(await shell.readFile(path)).toBe('content')
    expect(performance.now() - again).toBeLessThan(5_000)
  }, 60_000)
})

describe.concurrent('a host that does not even answer the connection', () => {
  /** Its queue is full and nobody empties it: what comes is dropped, as it is by a firewall that says nothing. */
  const LISTENER = `
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port) + '\\n')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`
  const fullHouse = async () => {
    const child = spawn(process.execPath, ['--eval', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const port = Number(line.toString())
    const waiting = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    return {
      port,
      async [Symbol.asyncDispose]() {
        for (const socket of waiting) socket.destroy()
        child.kill('SIGKILL')
        await once(child, 'close')
      },
    }
  }

  test.each([
    [10, ''],
    [2, '  ConnectTimeout 2\n'],
  ])('is given up after %i s (%j)', async (seconds, config) => {
    await using house = await fullHouse()
    await using folder = tempFolder('full')
    const { shell, close } = shellTo(house, makeDesk(folder.path, 'desk'), { config })
    const begun = performance.now()
    const problem = await problemOf(shell.sh`true`)
    const took = performance.now() - begun
    await close()
    expect(problem).toMatchObject({ code: 'HOST_UNREACHABLE', kind: 'check', details: { retryable: true } })
    expect(problem.message).toBe(
      `web1: 127.0.0.1:${String(house.port)} cannot be reached: no answer within ${String(seconds)} s`,
    )
    expect(took).toBeGreaterThan(seconds * 900)
    expect(took).toBeLessThan(seconds * 1_000 + 4_000)
  })
})

describe('a host that is busy', () => {
  const temp = tempFolder('busy')
  afterAll(() => temp.remove())

  test('one that talks is alive, though it answers no question', async () => {
    const deaf = (client: ServerSide): void => {
      const { _protocol } = client as unknown as { _protocol: { requestFailure(): void } }
      _protocol.requestFailure = () => undefined
      answering((channel) => {
        let words = 0
        const talk = setInterval(() => {
          channel.write('word\n')
          if (++words < 25) return
          clearInterval(talk)
          channel.exit(0)
          channel.end()
        }, 200)
      })(client)
    }
    const server = await startServer(['ed25519'], { onSession: deaf })
    const { shell, close } = shellTo(server, makeDesk(temp.path, 'desk'), {
      config: '  ServerAliveInterval 1\n  ServerAliveCountMax 1\n',
      host: { hostKey: [fingerprintOf(server.publicKeys[0]!)] },
    })
    expect((await shell.capture`talk`).split('\n')).toHaveLength(25)
    await close()
    await server.close()
  })
})
