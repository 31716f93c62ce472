import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import type { Connection as ServerSide } from 'ssh2'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf } from '../test/contract.ts'
import { newKeyPair } from './key-pair.ts'
import {
  answering,
  type Desk,
  fingerprintOf,
  type InProcessServer,
  makeDesk,
  shellTo as shellFrom,
  startServer,
  runCommands,
  type Way,
} from './ssh-server.ts'

const temp = tempFolder('host-key')
afterAll(() => temp.remove())

let at = 0
let desk: Desk

let knownHosts: string
beforeEach(() => {
  desk = makeDesk(temp.path, String(++at))
  knownHosts = desk.knownHosts
})

const shellTo = (server: InProcessServer, more: { config?: string; hostKey?: string } = {}) => {
  const { config, hostKey } = more
  const way: Way = {
    ...(config !== undefined && { config }),
    ...(hostKey !== undefined && { host: { hostKey: [hostKey] } }),
  }
  return shellFrom(server, desk, way)
}

async function refusal(server: InProcessServer, more: Parameters<typeof shellTo>[1] = {}) {
  const { shell, close } = shellTo(server, more)
  const problem = await problemOf(shell.sh`true`)
  await close()
  await server.close()
  return problem
}

describe('a host key that is not the known one', () => {
  test('unknown: says so, with the fingerprint and how to add it; nothing is sent', async () => {
    const server = await startServer(['ed25519'])
    const problem = await refusal(server)
    expect(problem).toMatchObject({ code: 'HOST_KEY_UNKNOWN', kind: 'check' })
    expect(problem.message).toBe(
      `web1: the host key of 127.0.0.1:${String(server.port)} is unknown: ssh-ed25519 ${fingerprintOf(server.publicKeys[0]!)}`,
    )
    expect(problem.details.hint).toContain(
      `ssh-keyscan -p ${String(server.port)} -t ed25519 127.0.0.1 >> ${knownHosts}`,
    )
    expect(server.heard).toEqual([])
  })

  test('changed: names the line, both fingerprints and the command that forgets the old one', async () => {
    const server = await startServer(['ed25519'])
    const old = newKeyPair().public.split(' ').slice(0, 2).join(' ')
    const name = `[127.0.0.1]:${String(server.port)}`
    writeFileSync(knownHosts, `# first\n${name} ${old}\n`)
    const problem = await refusal(server)
    expect(problem).toMatchObject({ code: 'HOST_KEY_CHANGED', kind: 'check' })
    expect(problem.message).toBe(
      `web1: the host key of 127.0.0.1:${String(server.port)} has changed: ${knownHosts}:2 has ssh-ed25519 ${fingerprintOf(old)}, it offers ssh-ed25519 ${fingerprintOf(server.publicKeys[0]!)}`,
    )
    const command = `ssh-keygen -R '${name}' -f ${knownHosts}`
    expect(problem.details.hint).toContain(command)
    expect(server.heard).toEqual([])
    // The hint is a command that works.
    execFileSync('sh', ['-c', command], { stdio: 'ignore' })
    expect(readFileSync(knownHosts, 'utf8')).toBe('# first\n')
  })

  test('the commands of the hints work where a folder has a space in its name', async () => {
    desk = makeDesk(temp.path, "it's a desk")
    knownHosts = desk.knownHosts
    const unknown = await refusal(await startServer(['ed25519']))
    expect(unknown.details.hint).toMatch(/ >> '.*\/it'\\''s a desk\/known_hosts'$/)
    const server = await startServer(['ed25519'])
    writeFileSync(knownHosts, `[127.0.0.1]:${String(server.port)} ${newKeyPair().public}\n`)
    const changed = await refusal(server)
    const forget = /forget the old one: (.*)$/.exec(changed.details.hint ?? '')?.[1] ?? ''
    execFileSync('sh', ['-c', forget], { stdio: 'ignore' })
    expect(readFileSync(knownHosts, 'utf8')).toBe('')
  })

  test('revoked: whatever else the file says', async () => {
    const server = await startServer(['ed25519'])
    const name = `[127.0.0.1]:${String(server.port)}`
    writeFileSync(knownHosts, `${name} ${server.publicKeys[0]!}\n@revoked * ${server.publicKeys[0]!}\n`)
    const problem = await refusal(server, { hostKey: fingerprintOf(server.publicKeys[0]!) })
    expect(problem.code).toBe('HOST_KEY_REVOKED')
    expect(problem.message).toContain(`is revoked by ${knownHosts}:2`)
    expect(server.heard).toEqual([])
  })

  test('a file that cannot be read fails closed', async () => {
    const server = await startServer(['ed25519'])
    mkdirSync(knownHosts)
    const problem = await refusal(server, { hostKey: fingerprintOf(server.publicKeys[0]!) })
    expect(problem).toMatchObject({ code: 'KNOWN_HOSTS_UNREADABLE', kind: 'check' })
    expect(server.heard).toEqual([])
  })

  test('a pin that does not fit', async () => {
    const server = await startServer(['ed25519'])
    writeFileSync(knownHosts, `[127.0.0.1]:${String(server.port)} ${server.publicKeys[0]!}\n`)
    const problem = await refusal(server, { hostKey: `SHA256:${'A'.repeat(43)}` })
    expect(problem.code).toBe('HOST_KEY_CHANGED')
    expect(problem.message).toContain(`hostKey in the config is SHA256:${'A'.repeat(43)}`)
    expect(server.heard).toEqual([])
  })

  test('a pin that none of its keys fits: every type was tried, and nothing said', async () => {
    const server = await startServer(['ed25519', 'rsa'])
    const problem = await refusal(server, { hostKey: `SHA256:${'A'.repeat(43)}` })
    expect(problem).toMatchObject({ code: 'HOST_KEY_CHANGED', details: { retryable: false } })
    expect(problem.message).toBe(
      `web1: the host key of 127.0.0.1:${String(server.port)} has changed: hostKey in the config is SHA256:${'A'.repeat(43)}, it offers ssh-ed25519 ${fingerprintOf(server.publicKeys[0]!)}`,
    )
    expect(server.heard).toEqual([])
  })

  test.each(['no', 'off'])('StrictHostKeyChecking %s makes nothing laxer', async (value) => {
    const server = await startServer(['ed25519'])
    const problem = await refusal(server, { config: `  StrictHostKeyChecking ${value}\n` })
    expect(problem.code).toBe('HOST_KEY_UNKNOWN')
    expect(server.heard).toEqual([])
  })

  test('its address is known by another key (CheckHostIP)', async () => {
    const server = await startServer(['ed25519'])
    const old = newKeyPair().public.split(' ').slice(0, 2).join(' ')
    const port = String(server.port)
    writeFileSync(knownHosts, `[localhost]:${port} ${server.publicKeys[0]!}\n[127.0.0.1]:${port} ${old}\n`)
    const { shell, close } = shellFrom(server, desk, {
      host: { address: 'localhost' },
      config: '  CheckHostIP yes\n  AddressFamily inet\n',
    })
    const problem = await problemOf(shell.sh`true`)
    await close()
    await server.close()
    expect(problem.code).toBe('HOST_KEY_CHANGED')
    expect(problem.message).toContain(
      `the host key of the address 127.0.0.1 has changed: ${knownHosts}:2 has`,
    )
    expect(server.heard).toEqual([])
  })

  test('an RSA key with fewer bits than RequiredRSASize, though it is known', async () => {
    const server = await startServer(['rsa'])
    const pin = fingerprintOf(server.publicKeys[0]!)
    const problem = await refusal(server, { config: '  RequiredRSASize 3072\n', hostKey: pin })
    expect(problem).toMatchObject({ code: 'HANDSHAKE_FAILED', kind: 'check', details: { retryable: false } })
    expect(problem.message).toBe(
      `web1: the host key of 127.0.0.1:${String(server.port)} has 2048 bits, and RequiredRSASize of ssh_config is 3072`,
    )
    expect(server.heard).toEqual([])
    const again = await startServer(['rsa'], { onSession: runCommands })
    const enough = { config: '  RequiredRSASize 2048\n', hostKey: fingerprintOf(again.publicKeys[0]!) }
    const { shell, close } = shellTo(again, enough)
    expect(await shell.capture`echo in`).toBe('in')
    await close()
    await again.close()
  })

  test('HostKeyAlgorithms that leave nothing to check are an error, and no reason to take any', async () => {
    const server = await startServer(['ed25519'])
    const problem = await refusal(server, {
      config: '  HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com\n',
    })
    expect(problem).toMatchObject({ code: 'SSH_UNSUPPORTED', kind: 'check' })
    expect(problem.message).toBe(
      'web1: of HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com in ssh_config none is supported',
    )
    expect(server.heard).toEqual([])
  })

  test.each([
    ['Ciphers', 'Ciphers 3des-cbc', 'C->S cipher'],
    ['MACs', 'Ciphers aes128-ctr\n  MACs umac-64@openssh.com', 'C->S MAC'],
    ['Ciphers that ssh2 has', 'Ciphers aes256-ctr', ''],
    ['KexAlgorithms', 'KexAlgorithms sntrup761x25519-sha512@openssh.com', 'key exchange algorithm'],
  ])('%s of ssh_config are kept to', async (_, line, missing) => {
    const server = await startServer(['ed25519'], { onSession: runCommands })
    const pin = fingerprintOf(server.publicKeys[0]!)
    const { shell, close } = shellTo(server, { config: `  ${line}\n`, hostKey: pin })
    if (missing === '') expect(await shell.capture`echo hello`).toBe('hello')
    else {
      const problem = await problemOf(shell.sh`true`)
      expect(problem).toMatchObject({ code: 'HANDSHAKE_FAILED', details: { retryable: false } })
      expect(problem.message).toBe(
        `web1: 127.0.0.1:${String(server.port)} and we have no ${missing} in common`,
      )
    }
    await close()
    await server.close()
  })
})

type Act = () => unknown

/** A server that does this when a session is asked for. */
function sessions(act: (accept: Act, reject: Act, client: ServerSide) => void): (client: ServerSide) => void {
  return (client) => {
    client.on('session', (accept, reject) => act(accept, reject, client))
  }
}

describe('a host key that is the known one', () => {
  test('by a pin alone', async () => {
    const server = await startServer(['ed25519'], { onSession: runCommands })
    const { shell, close } = shellTo(server, { hostKey: fingerprintOf(server.publicKeys[0]!) })
    expect(await shell.capture`echo hello`).toBe('hello')
    await close()
    await server.close()
  })

  test('of a type that the server would not have offered first', async () => {
    const server = await startServer(['ed25519', 'rsa'], { onSession: runCommands })
    writeFileSync(knownHosts, `[127.0.0.1]:${String(server.port)} ${server.publicKeys[1]!}\n`)
    const { shell, close } = shellTo(server)
    expect(await shell.capture`echo hello`).toBe('hello')
    await close()
    await server.close()
  })

  test('by a pin of a type that it would not offer first, or by one of several', async () => {
    const server = await startServer(['ed25519', 'rsa'], { onSession: runCommands })
    const [ed, rsa] = server.publicKeys.map(fingerprintOf)
    for (const hostKey of [[rsa!], [ed!], [`SHA256:${'A'.repeat(43)}`, rsa!], [`${rsa!}=`]]) {
      const { shell, close } = shellFrom(server, desk, { host: { hostKey } })
      expect(await shell.capture`echo hello`).toBe('hello')
      await close()
    }
    await server.close()
  })

  test('under its HostKeyAlias, hashed', async () => {
    const server = await startServer(['ed25519'], { onSession: runCommands })
    writeFileSync(knownHosts, `app ${server.publicKeys[0]!}\n`)
    execFileSync('ssh-keygen', ['-H', '-f', knownHosts], { stdio: 'ignore' })
    expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/)
    const { shell, close } = shellTo(server, { config: '  HostKeyAlias app\n' })
    expect(await shell.capture`echo hello`).toBe('hello')
    await close()
    await server.close()
  })

  test('added by hand, as the message says, it is known', async () => {
    const server = await startServer(['ed25519'], { onSession: runCommands })
    const first = shellTo(server, { config: '  HostKeyAlias app\n' })
    const problem = await problemOf(first.shell.sh`true`)
    await first.close()
    const command = /then add it: (.*)$/.exec(problem.details.hint ?? '')?.[1] ?? ''
    execFileSync('sh', ['-c', command])
    const second = shellTo(server, { config: '  HostKeyAlias app\n' })
    expect(await second.shell.capture`echo hello`).toBe('hello')
    await second.close()
    await server.close()
  })
})

describe('a server that misbehaves', () => {
  test.each([
    [
      'ends a session without an exit status',
      answering((channel) => {
        channel.write('half\n')
        channel.close()
      }),
      'CONNECTION_LOST',
    ],
    ['refuses every command', sessions((accept) => void accept()), 'COMMAND_FAILED'],
    ['opens no session', sessions((_, reject) => void reject()), 'CHANNEL_REFUSED'],
    ['hangs up when asked', sessions((_accept, _reject, client) => void client.end()), 'CONNECTION_LOST'],
  ] as const)('%s', async (_, behave, code) => {
    const server = await startServer(['ed25519'], { onSession: behave })
    const { shell, close } = shellTo(server, { hostKey: fingerprintOf(server.publicKeys[0]!) })
    expect((await problemOf(shell.sh`true`)).code).toBe(code)
    await close()
    await server.close()
  })

  test('a channel that is not opened, the third and the fourth: each command still runs, once', async () => {
    let asked = 0
    const ran: number[] = []
    const server = await startServer(['ed25519'], {
      onSession: (client) => {
        client.on('session', (accept, reject) => {
          if ([3, 4].includes(++asked)) {
            reject()
            return
          }
          accept().on('exec', (acceptExec, _reject, { command }) => {
            const channel = acceptExec()
            ran.push(Number(/command (\d)/.exec(command)?.[1]))
            channel.write(`${/DEPLOYFILE_COMMAND=([0-9a-f]{16})/.exec(command)?.[1] ?? ''} 1  /bin/sh\n`)
            channel.exit(0)
            channel.end()
          })
        })
      },
    })
    const { shell, close } = shellTo(server, { hostKey: fingerprintOf(server.publicKeys[0]!) })
    for (let at = 0; at < 5; at++) await shell.sh`: ${`command ${String(at)}`}`
    await close()
    await server.close()
    expect(ran).toEqual([0, 1, 2, 3, 4])
    expect(asked).toBe(7)
  })

  test('something else than SSH listens', async () => {
    const { createServer } = await import('node:net')
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume()
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const problem = await refusal({
      port,
      publicKeys: [],
      heard: [],
      close: () => new Promise((resolve) => void server.close(() => resolve())),
    })
    expect(problem.kind).toBe('check')
    expect(problem.message).toContain(`127.0.0.1:${String(port)}`)
  })
})
