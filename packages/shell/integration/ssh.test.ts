import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { CommandEvent, Host } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf, shellContract, until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'

describe.runIf(servicesFound('sshd'))('a host over SSH', () => {
  let site: Site
  beforeAll(async () => {
    site = await startSite()
  })
  afterAll(() => site[Symbol.asyncDispose]())

  shellContract(({ signal, emit } = {}) => {
    const events: CommandEvent[] = []
    const shell = shellOf(site.shells, hostNamed('web1'), signal, emit ?? ((event) => events.push(event)))
    return { shell, folder: realpathSync(site.sshd.home), root: site.here, events }
  })

  test('all of it was one connection', () => {
    expect(site.sshd.log().match(/Accepted publickey/g)).toHaveLength(1)
  })

  test('sixty things at once over one connection: no warning of listeners that pile up', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const shell = shellOf(site.shells, hostNamed('web1'))
    await shell.mkdir('crowd')
    await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const name = `crowd/${String(at)}`
        await Promise.all([shell.writeFile(name, name), shell.sh`echo ${at}`])
        expect(await shell.readFile(name)).toBe(name)
      }),
    )
    // A warning is told in the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', note)
    expect(warnings).toEqual([])
  })

  test('the address may name user and port, without a word in ssh_config', async () => {
    const { user, port } = site.sshd
    const host = hostNamed('anything', {
      address: `${user}@127.0.0.1:${String(port)}`,
      hostKey: [site.sshd.hostKeyFingerprint],
    })
    // No identity is configured for this name; the agent and the default files are not ours to use here.
    const problem = await problemOf(shellOf(site.shells, { ...host, user: 'nobody-by-this-name' }).sh`true`)
    expect(problem.code).toBe('LOGIN_REFUSED')
    expect(problem.message).toContain(`127.0.0.1:${String(port)} refused the login of nobody-by-this-name`)
  })
})

describe.runIf(servicesFound('sshd'))('limits of a host', () => {
  test('with two sessions at once (MaxSessions 2) forty commands still all run, once each', async () => {
    await using site = await startSite({ config: ['MaxSessions 2'] })
    const shell = shellOf(site.shells, hostNamed('web1'))
    const runs = Array.from({ length: 40 }, (_, at) => shell.sh`echo ${at} >> ran; sleep 0.02`)
    await Promise.all(runs)
    const ran = (await shell.readFile('ran')).trim().split('\n').map(Number)
    expect(ran.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at))
  })

  test('a cancel is a signal request, also after standard input has ended; where sshd refuses it, the processes are found', async () => {
    await using site = await startSite({ config: ['ForceCommand none', 'LogLevel DEBUG1'] })
    const stop = new AbortController()
    const lines: string[] = []
    const shell = shellOf(site.shells, hostNamed('web1'), stop.signal, (event) => {
      if (event.type === 'command.output' && event.stream === 'stdout') lines.push(event.line)
    })
    const loop = `trap 'echo stopped; exit 1' TERM; echo ready; while :; do sleep 0.01; done`
    const running = problemOf(shell.script(loop))
    await until(() => lines.includes('ready'))
    stop.abort()
    expect((await running).code).toBe('COMMAND_CANCELLED')
    // Debian 12's sshd refuses it for root, and every sshd for a forced command.
    expect(site.sshd.log()).toContain('req signal')
    expect(lines).toEqual(['ready', 'stopped'])
  })

  test('fifteen shells that start at once share one handshake', async () => {
    await using site = await startSite({ config: ['MaxStartups 2:100:3'] })
    await Promise.all(Array.from({ length: 15 }, () => shellOf(site.shells, hostNamed('web1')).test`true`))
    expect(site.sshd.log().match(/Accepted publickey/g)).toHaveLength(1)
  })
})

const ipv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
if (!ipv6) console.warn('SKIPPED: this machine has no ::1, so that no connection by IPv6 is tried')

describe.runIf(servicesFound('sshd') && ipv6)('IPv6', () => {
  test('[::1]:PORT and ssh://[::1]:PORT are connected to, and known by that name', async () => {
    await using site = await startSite({ config: ['ListenAddress ::1'] })
    const { port, user } = site.sshd
    const config = readFileSync(site.config, 'utf8').replace(/^Host .*\n *HostName .*\n/, 'Host *\n')
    writeFileSync(site.config, config)
    const line = site.sshd.knownHostsLine.replace('127.0.0.1', '::1')
    const host = (scheme: string): Host =>
      hostNamed('six', { address: `${scheme}[::1]:${String(port)}`, user })
    const shells = createShells({ root: site.here, sshConfig: site.config })
    writeFileSync(site.knownHosts, '')
    expect((await problemOf(shellOf(shells, host('')).sh`true`)).message).toContain(
      `six: the host key of [::1]:${String(port)} is unknown`,
    )
    await shells.close()
    writeFileSync(site.knownHosts, line)
    const again = createShells({ root: site.here, sshConfig: site.config })
    for (const scheme of ['', 'ssh://'])
      expect(await shellOf(again, host(scheme)).capture`echo "\${SSH_CONNECTION%% *}"`).toBe('::1')
    await again.close()
  })
})

describe.runIf(servicesFound('sshd'))('known_hosts', () => {
  test('the folder of the config is where DEPLOYFILE_SSH_CONFIG starts', async () => {
    await using site = await startSite()
    process.env['DEPLOYFILE_SSH_CONFIG'] = 'ssh_config'
    const shells = createShells({ root: site.here })
    delete process.env['DEPLOYFILE_SSH_CONFIG']
    expect(await shellOf(shells, hostNamed('web1')).capture`pwd`).toBe(
      join(realpathSync(site.sshd.root), 'home'),
    )
    await shells.close()
  })
})
