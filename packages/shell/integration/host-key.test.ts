import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createShells } from '@deployfile/shell'
import ssh2, { type Connection as ServerSide } from 'ssh2'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf } from './host.ts'
import { newKeyPair } from './key-pair.ts'

const temp = tempFolder('host-key')
afterAll(() => temp.remove())

/** Whatever a client says to it after the key exchange is written down. */
async function startServer(types: readonly ('ed25519' | 'rsa')[], onSession?: (client: ServerSide) => void) {
  const keys = types.map((type) => newKeyPair(type))
  const heard: string[] = []
  const server = new ssh2.Server({ hostKeys: keys.map((key) => key.private) }, (client) => {
    client.on('authentication', (context) => {
      heard.push(`authentication ${context.method}`)
      if (context.method === 'publickey') context.accept()
      else context.reject(['publickey'])
    })
    client.on('ready', () => onSession?.(client))
    client.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    publicKeys: keys.map((key) => key.public.split(' ').slice(0, 2).join(' ')),
    heard,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

type Server = Awaited<ReturnType<typeof startServer>>

let at = 0
let folder: string
let knownHosts: string
beforeEach(() => {
  folder = join(temp.path, String(++at))
  mkdirSync(folder)
  knownHosts = join(folder, 'known_hosts')
  const { private: key } = newKeyPair()
  writeFileSync(join(folder, 'id'), key, { mode: 0o600 })
})

function shellTo(server: Server, more: { config?: string; hostKey?: string } = {}) {
  const config = join(folder, 'ssh_config')
  writeFileSync(
    config,
    `Host *
  User deploy
  Port ${String(server.port)}
  IdentityFile ${folder}/id
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile /dev/null
${more.config ?? ''}`,
  )
  const shells = createShells({ root: folder, sshConfig: config })
  const host = hostNamed('web1', {
    address: '127.0.0.1',
    ...(more.hostKey !== undefined && { hostKey: [more.hostKey] }),
  })
  return { shell: shellOf(shells, host), close: () => shells.close() }
}

async function refusal(server: Server, more: Parameters<typeof shellTo>[1] = {}) {
  const { shell, close } = shellTo(server, more)
  const problem = await problemOf(shell.sh`true`)
  await close()
  await server.close()
  return problem
}

const fingerprintOf = (publicKey: string): string =>
  execFileSync('ssh-keygen', ['-lf', '-'], { input: `${publicKey}\n`, encoding: 'utf8' }).split(' ')[1] ?? ''

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

  test('StrictHostKeyChecking no makes nothing laxer', async () => {
    const server = await startServer(['ed25519'])
    const problem = await refusal(server, { config: '  StrictHostKeyChecking no\n' })
    expect(problem.code).toBe('HOST_KEY_UNKNOWN')
    expect(server.heard).toEqual([])
  })
})

type Act = () => unknown

/** A server that does this when a session is asked for. */
function sessions(act: (accept: Act, reject: Act, client: ServerSide) => void): (client: ServerSide) => void {
  return (client) => {
    client.on('session', (accept, reject) => act(accept, reject, client))
  }
}

/** A server whose sessions answer every command by `reply`. */
function answering(reply: (channel: ssh2.ServerChannel) => void): (client: ServerSide) => void {
  return (client) => {
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec()
        // What the command's own sh would say first, by which it is known to have been started.
        const mark = /DEPLOYFILE_COMMAND=([0-9a-f]{16})/.exec(command)?.[1] ?? ''
        channel.write(`${mark} 1  /bin/sh\n`)
        reply(channel)
      })
    })
  }
}
const succeed = answering((channel) => {
  channel.write('hello\n')
  channel.exit(0)
  channel.end()
})

describe('a host key that is the known one', () => {
  test('by a pin alone', async () => {
    const server = await startServer(['ed25519'], succeed)
    const { shell, close } = shellTo(server, { hostKey: fingerprintOf(server.publicKeys[0]!) })
    expect(await shell.capture`anything`).toBe('hello')
    await close()
    await server.close()
  })

  test('of a type that the server would not have offered first', async () => {
    const server = await startServer(['ed25519', 'rsa'], succeed)
    writeFileSync(knownHosts, `[127.0.0.1]:${String(server.port)} ${server.publicKeys[1]!}\n`)
    const { shell, close } = shellTo(server)
    expect(await shell.capture`anything`).toBe('hello')
    await close()
    await server.close()
  })

  test('under its HostKeyAlias, hashed', async () => {
    const server = await startServer(['ed25519'], succeed)
    writeFileSync(knownHosts, `app ${server.publicKeys[0]!}\n`)
    execFileSync('ssh-keygen', ['-H', '-f', knownHosts], { stdio: 'ignore' })
    expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/)
    const { shell, close } = shellTo(server, { config: '  HostKeyAlias app\n' })
    expect(await shell.capture`anything`).toBe('hello')
    await close()
    await server.close()
  })

  test('added by hand, as the message says, it is known', async () => {
    const server = await startServer(['ed25519'], succeed)
    const first = shellTo(server, { config: '  HostKeyAlias app\n' })
    const problem = await problemOf(first.shell.sh`true`)
    await first.close()
    const command = /then add it: (.*)$/.exec(problem.details.hint ?? '')?.[1] ?? ''
    execFileSync('sh', ['-c', command])
    const second = shellTo(server, { config: '  HostKeyAlias app\n' })
    expect(await second.shell.capture`anything`).toBe('hello')
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
    const server = await startServer(['ed25519'], behave)
    const { shell, close } = shellTo(server, { hostKey: fingerprintOf(server.publicKeys[0]!) })
    expect((await problemOf(shell.sh`true`)).code).toBe(code)
    await close()
    await server.close()
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

describe('the same answers as ssh-keygen -F', () => {
  test('on 300 random files', async () => {
    const { namesHost, parseKnownHosts } = await import('../src/ssh/known-hosts.ts')
    const random = sequence(20261123)
    const pick = <T>(items: readonly T[]): T => items[random() % items.length]!
    const hosts = ['web1', 'web2', 'db.example.com', '[web1]:2222', '10.0.0.7', '[::1]:22', '::1', 'a-b_c']
    const patterns = [
      ...hosts,
      'WEB1',
      '*',
      'web?',
      '*.example.com',
      '!web1',
      '!*',
      '10.0.0.*',
      '[web?]:*',
      '??',
    ]
    const keys = Array.from({ length: 4 }, () => newKeyPair().public.split(' ').slice(0, 2).join(' '))
    let hashed = 0
    let compared = 0
    for (let file = 0; file < 300; file++) {
      const path = join(folder, `random-${String(file)}`)
      writeFileSync(path, '')
      for (let line = 0; line < 1 + (random() % 6); line++) {
        const names = Array.from({ length: 1 + (random() % 3) }, () => pick(patterns)).join(',')
        const marker = pick(['', '', '', '@revoked ', '@cert-authority ', '@other '])
        const noise = pick(['', '', '# a comment\n', '\n', 'nonsense\n', '   \t\n'])
        appendFileSync(
          path,
          `${noise}${pick(['', ' ', '\t'])}${marker}${names} ${pick(keys)}${pick(['', ' me@here'])}\n`,
        )
      }
      // Some of them hashed, by ssh-keygen itself; it leaves patterns and marked lines alone, and files that it finds faulty.
      if (random() % 2 === 0) spawnSync('ssh-keygen', ['-H', '-f', path])
      const host = pick(hosts)
      const theirs = foundBySshKeygen(path, host)
      const known = parseKnownHosts(readFileSync(path, 'latin1'), path)
      const ours = known.filter((entry) => namesHost(entry.names, host)).map((entry) => entry.line)
      expect({ host, lines: ours, text: readFileSync(path, 'utf8') }).toEqual({
        host,
        lines: theirs,
        text: readFileSync(path, 'utf8'),
      })
      compared += ours.length
      if (known.some((entry) => entry.names.startsWith('|1|'))) hashed++
    }
    expect(hashed).toBeGreaterThan(20)
    expect(compared).toBeGreaterThan(100)
  })
})

function foundBySshKeygen(path: string, host: string): number[] {
  let text = ''
  try {
    text = execFileSync('ssh-keygen', ['-F', host, '-f', path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    // Exit code 1: not found.
  }
  return [...text.matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => Number(match[1]))
}

/** Numbers that are the same in every run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}
