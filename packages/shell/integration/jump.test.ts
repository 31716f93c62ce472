import { once } from 'node:events'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { CommandEvent, Host } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { type SshHost, startSshd } from '../../../test/servers/sshd.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf } from './host.ts'
import { type Proxy, startProxy } from '../../../test/servers/proxy.ts'

describe.runIf(servicesFound('sshd'))('hosts behind a jump host', () => {
  let inner: SshHost
  let bastion: SshHost
  let link: Proxy
  let here: string
  let knownHosts: string
  beforeAll(async () => {
    bastion = await startSshd({ name: 'bastion' })
    inner = await startSshd({ name: 'inner', identity: bastion.identity })
    link = await startProxy(bastion.port)
    here = join(realpathSync(bastion.root), 'here')
    mkdirSync(here)
    knownHosts = join(here, 'known_hosts')
  })
  afterAll(async () => {
    await link[Symbol.asyncDispose]()
    await inner.stop()
    await bastion.stop()
  })
  beforeEach(() => {
    link.mend()
    // Both answer at the same address here; that of the bastion goes by its name.
    const [, key] = /^\S+ (.*)$/.exec(bastion.knownHostsLine) ?? []
    writeFileSync(knownHosts, `bastion ${key ?? ''}\n${inner.knownHostsLine}\n`)
  })

  const config = (inBastion = '', jump = 'bastion', inInner = ''): string => {
    const path = join(here, 'ssh_config')
    const rest = `  IdentityFile ${bastion.privateKeyPath}\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile ${knownHosts}\n  GlobalKnownHostsFile /dev/null\n`
    writeFileSync(
      path,
      `Host bastion
${inBastion}  HostName 127.0.0.1
  Port ${String(link.port)}
  User ${bastion.user}
  HostKeyAlias bastion
${rest}Host inner*
${inInner}  HostName 127.0.0.1
  Port ${String(inner.port)}
  User ${inner.user}
  ProxyJump ${jump}
${rest}`,
    )
    return path
  }
  const open = (path = config()) => createShells({ root: here, sshConfig: path })
  const one = async (path?: string, host: Partial<Host> = {}): Promise<string> => {
    const shells = open(path)
    try {
      return await shellOf(shells, hostNamed('inner', host)).capture`echo in`
    } finally {
      await shells.close()
    }
  }
  const logins = (host: SshHost): number => host.log().match(/Accepted publickey/g)?.length ?? 0

  test('a command runs behind it', async () => {
    expect(await one()).toBe('in')
  })

  test('a door leads behind it', async () => {
    const server = createServer((socket) => socket.end('from behind')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const shells = open()
    const before = logins(bastion)
    const { port } = server.address() as AddressInfo
    const { path } = await shellOf(shells, hostNamed('inner')).forward({ host: '127.0.0.1', port })
    expect(await text(connect(path))).toBe('from behind')
    expect(logins(bastion) - before).toBe(1)
    await shells.close()
    server.close()
  })

  test('thirty hosts go through one login at it, and do not wait for each other', async () => {
    const [atBastion, atInner] = [logins(bastion), logins(inner)]
    const shells = open()
    const names = Array.from({ length: 30 }, (_, at) => `inner${String(at)}`)
    const said = await Promise.all(names.map((name) => shellOf(shells, hostNamed(name)).capture`echo in`))
    await shells.close()
    expect(said).toEqual(names.map(() => 'in'))
    expect(logins(bastion) - atBastion).toBe(1)
    expect(logins(inner) - atInner).toBe(30)
  })

  test('two in a row, the second verified through the first', async () => {
    const path = config(
      '',
      `bastion,${inner.user}@inner-again`,
      '  HostKeyAlias [127.0.0.1]:' + String(inner.port) + '\n',
    )
    const before = logins(inner)
    expect(await one(path)).toBe('in')
    // The last jump host and the host are the same sshd here.
    expect(logins(inner) - before).toBe(2)
  })

  test('its own key is verified, under its own name', async () => {
    writeFileSync(knownHosts, `${inner.knownHostsLine}\n`)
    const problem = await problemOf(one())
    expect(problem).toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      kind: 'check',
      details: { host: 'inner', retryable: false },
    })
    expect(problem.message).toBe(
      `inner: on the way to it, bastion: the host key of 127.0.0.1:${String(link.port)} is unknown: ssh-ed25519 ${bastion.hostKeyFingerprint}`,
    )
    expect(problem.details.hint).toContain("echo 'bastion ssh-ed25519 ")
  })

  test('a pin is the host’s own, never its jump host’s', async () => {
    writeFileSync(knownHosts, '')
    const problem = await problemOf(one(undefined, { hostKey: [inner.hostKeyFingerprint] }))
    expect(problem).toMatchObject({ code: 'HOST_KEY_UNKNOWN' })
    expect(problem.message).toContain('on the way to it, bastion:')
  })

  test('the key of the host behind it is verified too, and nothing is sent to it before', async () => {
    const [, key] = /^\S+ (.*)$/.exec(bastion.knownHostsLine) ?? []
    writeFileSync(knownHosts, `bastion ${key ?? ''}\n[127.0.0.1]:${String(inner.port)} ${key ?? ''}\n`)
    const before = logins(inner)
    const problem = await problemOf(one())
    expect(problem).toMatchObject({ code: 'HOST_KEY_CHANGED' })
    expect(problem.message).toContain(
      `inner: the host key of 127.0.0.1:${String(inner.port)} through bastion has changed`,
    )
    expect(logins(inner)).toBe(before)
  })

  test('a refused login at it is one of the host', async () => {
    const problem = await problemOf(one(config('  User nobody-by-this-name\n')))
    expect(problem).toMatchObject({ code: 'LOGIN_REFUSED', details: { host: 'inner' } })
    expect(problem.message).toContain(
      `inner: on the way to it, bastion: 127.0.0.1:${String(link.port)} refused the login of nobody-by-this-name`,
    )
  })

  test('nothing listens behind it', async () => {
    const problem = await problemOf(one(undefined, { port: 1 }))
    expect(problem).toMatchObject({ code: 'HOST_UNREACHABLE', kind: 'check', details: { retryable: true } })
    expect(problem.message).toBe('inner: 127.0.0.1:1 through bastion cannot be reached: Connection refused')
  })

  test('a name that only it could know, and does not', async () => {
    const problem = await problemOf(one(config('', 'bastion', '  HostName no-such-host.invalid\n')))
    expect(problem).toMatchObject({ code: 'HOST_NOT_FOUND', details: { host: 'inner' } })
    expect(problem.message).toBe('inner: the name no-such-host.invalid is not known on bastion')
  })

  test('it is lost: so is what runs behind it, and the next command goes through a new one', async () => {
    const shells = open()
    const lines: string[] = []
    const talking = shellOf(shells, hostNamed('inner'), undefined, (event: CommandEvent) => {
      if (event.type === 'command.output') lines.push(event.line)
    })
    const running = problemOf(talking.sh`echo ready; exec sleep 1000`)
    await until(() => lines.includes('ready'))
    link.breakNow('reset')
    expect(await running).toMatchObject({ code: 'CONNECTION_LOST', details: { host: 'inner' } })
    expect(await talking.capture`echo again`).toBe('again')
    await shells.close()
  })

  test('closing says goodbye behind it first, and needs no time for it', async () => {
    const shells = open()
    await shellOf(shells, hostNamed('inner')).sh`true`
    const begun = performance.now()
    await shells.close()
    expect(performance.now() - begun).toBeLessThan(1_500)
    await until(() => /Received disconnect/.test(inner.log()))
  })

  test('closing while what is behind it went silent takes no longer than 5 s', async () => {
    const shells = open()
    await shellOf(shells, hostNamed('inner')).sh`true`
    link.breakNow('stall')
    const begun = performance.now()
    await shells.close()
    expect(performance.now() - begun).toBeLessThan(5_000)
    link.breakNow('reset')
  })
})

test.runIf(servicesFound('sshd'))('a jump host that forwards nothing says so', async () => {
  await using bastion = await startSshd({ name: 'bastion', config: ['AllowTcpForwarding no'] })
  const here = realpathSync(bastion.root)
  const config = join(here, 'ssh_config')
  writeFileSync(join(here, 'known_hosts'), `${bastion.knownHostsLine}\n`)
  const own = bastion.sshConfig(join(here, 'known_hosts'))
  writeFileSync(config, `Host inner\n  HostName 127.0.0.1\n  ProxyJump bastion\n${own}`)
  const shells = createShells({ root: here, sshConfig: config })
  const problem = await problemOf(shellOf(shells, hostNamed('inner')).sh`true`)
  await shells.close()
  expect(problem).toMatchObject({ code: 'HOST_UNREACHABLE', kind: 'check', details: { retryable: false } })
  expect(problem.message).toMatch(
    /^inner: 127\.0\.0\.1:22 through bastion cannot be reached: bastion does not forward connections \(.*; AllowTcpForwarding\)$/,
  )
})
