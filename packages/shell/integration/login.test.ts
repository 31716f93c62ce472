import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Problem } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { makeSshKey } from '../../../test/servers/ssh-keys.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'

describe.runIf(servicesFound('sshd'))('logging in', () => {
  let site: Site
  let folder: string
  let agent: Agent
  beforeAll(async () => {
    site = await startSite()
    folder = join(site.here, 'keys')
    mkdirSync(folder)
    agent = await startAgent(join(folder, 'agent.sock'))
    for (let at = 0; at < 8; at++) agent.add(makeSshKey(join(folder, `wrong-${String(at)}`)).privateKeyPath)
    agent.add(site.sshd.privateKeyPath)
  })
  afterAll(async () => {
    await agent.stop()
    await site[Symbol.asyncDispose]()
  })

  /** One command under an ssh_config of these lines. */
  const login = (...lines: string[]): Promise<string> => ask('echo in', ...lines)
  const ask = async (command: string, ...lines: string[]): Promise<string> => {
    const config = join(folder, 'ssh_config')
    const fixed = ['HostName 127.0.0.1', `Port ${String(site.sshd.port)}`, `User ${site.sshd.user}`]
    const files = [`UserKnownHostsFile ${site.knownHosts}`, 'GlobalKnownHostsFile /dev/null']
    writeFileSync(
      config,
      `Host web1\n${[...fixed, ...files, ...lines].map((line) => `  ${line}\n`).join('')}`,
    )
    const shells = createShells({ root: folder, sshConfig: config })
    try {
      return (await shellOf(shells, hostNamed('web1')).script(command)).stdout.trim()
    } finally {
      await shells.close()
    }
  }
  const encrypted = (): string => {
    const path = join(folder, 'encrypted')
    execFileSync('cp', [site.sshd.privateKeyPath, path])
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'passphrase', '-f', path])
    return path
  }

  test('a key file, without any agent', async () => {
    expect(await login('IdentityAgent none', `IdentityFile ${site.sshd.privateKeyPath}`)).toBe('in')
  })

  test('a key that is refused: says what was offered and what the host takes', async () => {
    const key = makeSshKey(join(folder, 'stranger'))
    const problem = await problemOf(login('IdentityAgent none', `IdentityFile ${key.privateKeyPath}`))
    expect(problem).toMatchObject({ code: 'LOGIN_REFUSED', kind: 'check' })
    expect(problem.message).toBe(
      `web1: 127.0.0.1:${String(site.sshd.port)} refused the login of ${site.sshd.user}; offered: ${key.fingerprint} (${key.privateKeyPath}); it takes publickey`,
    )
    expect(problem.details.hint).toContain('ssh-copy-id')
  })

  test('no key at all', async () => {
    const problem = await problemOf(login('IdentityAgent none', `IdentityFile ${folder}/no-such-file`))
    expect(problem.code).toBe('LOGIN_REFUSED')
    expect(problem.message).toContain('offered: no key')
  })

  test('an encrypted key without an agent: says how to give it to one', async () => {
    const path = encrypted()
    const problem = await problemOf(login('IdentityAgent none', `IdentityFile ${path}`))
    expect(problem).toMatchObject({ code: 'KEY_ENCRYPTED', kind: 'check' })
    expect(problem.message).toBe(`web1: the key ${path} has a passphrase, and no agent holds it`)
    expect(problem.details.hint).toBe(
      `Give it to the agent first: ssh-add ${path}. On a terminal it is asked for.`,
    )
  })

  test('an encrypted key that the agent holds among nine', async () => {
    expect(
      await login(`IdentityAgent ${agent.socket}`, `IdentityFile ${encrypted()}`, 'IdentitiesOnly yes'),
    ).toBe('in')
  })

  test('a public key names the one of the agent that is meant', async () => {
    expect(await login(`IdentityAgent ${agent.socket}`, `IdentityFile ${site.sshd.privateKeyPath}.pub`)).toBe(
      'in',
    )
  })

  test('the named key comes before eight of the agent that nobody named', async () => {
    expect(await login(`IdentityAgent ${agent.socket}`, `IdentityFile ${site.sshd.privateKeyPath}`)).toBe(
      'in',
    )
  })

  test('IdentitiesOnly keeps the agent’s other keys back', async () => {
    const key = makeSshKey(join(folder, 'only'))
    const problem = await problemOf(
      login(`IdentityAgent ${agent.socket}`, `IdentityFile ${key.privateKeyPath}`, 'IdentitiesOnly yes'),
    )
    expect(problem.message).toContain(`offered: ${key.fingerprint} (${key.privateKeyPath}); it takes`)
  })

  test('too many keys: the hint names the way out', async () => {
    const only = await startAgent(join(folder, 'crowded.sock'))
    for (let at = 0; at < 8; at++) only.add(join(folder, `wrong-${String(at)}`))
    const keys = [0, 1, 2].map(
      (at) => `IdentityFile ${makeSshKey(join(folder, `more-${String(at)}`)).privateKeyPath}`,
    )
    const problem = await problemOf(login(`IdentityAgent ${only.socket}`, ...keys))
    await only.stop()
    expect(problem.code).toBe('LOGIN_REFUSED')
    expect(problem.message).toContain('after too many keys')
    expect(problem.details.hint).toContain('IdentitiesOnly yes')
  })

  test('the right key is the ninth of an agent, and nobody named it: says so, and how to name it', async () => {
    const problem = await problemOf(login(`IdentityAgent ${agent.socket}`, 'IdentityFile none'))
    expect(problem).toMatchObject({ code: 'LOGIN_REFUSED', kind: 'check', details: { retryable: false } })
    expect(problem.message.match(/SHA256:/g)).toHaveLength(5)
    expect(problem.message).toContain('; the agent holds 4 more keys, which were not offered')
    expect(problem.details.hint).toBe(
      'Name the right key in ssh_config: IdentityFile and IdentitiesOnly yes for web1.',
    )
  })

  test('a key that ssh_config does not want is not offered, from a file or from the agent', async () => {
    const key = `IdentityFile ${site.sshd.privateKeyPath}`
    const wanted = 'PubkeyAcceptedAlgorithms rsa-sha2-512,ecdsa-sha2-nistp256'
    const problem = await problemOf(login(`IdentityAgent ${agent.socket}`, key, wanted))
    expect(problem.code).toBe('LOGIN_REFUSED')
    expect(problem.message).toContain('; offered: no key; it takes publickey; ')
    expect(problem.message).toContain(
      `${site.sshd.privateKeyPath} is of type ssh-ed25519, which PubkeyAcceptedAlgorithms of ssh_config leaves out`,
    )
    expect(await login('IdentityAgent none', key, `${wanted},ssh-ed25519`)).toBe('in')
    const rsa = join(folder, 'rsa')
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', rsa])
    const small = await problemOf(login('IdentityAgent none', `IdentityFile ${rsa}`, 'RequiredRSASize 3072'))
    expect(small.message).toContain(`${rsa} has 2048 bits, and RequiredRSASize of ssh_config is 3072`)
  })

  test('the agent stays here, unless ssh_config says ForwardAgent yes', async () => {
    const key = `IdentityFile ${site.sshd.privateKeyPath}`
    const look = 'echo "${SSH_AUTH_SOCK-none}"'
    expect(await ask(look, `IdentityAgent ${agent.socket}`, key)).toBe('none')
    expect(await ask(look, `IdentityAgent ${agent.socket}`, key, 'ForwardAgent no')).toBe('none')
    const list = 'ssh-add -l | wc -l'
    expect(Number(await ask(list, `IdentityAgent ${agent.socket}`, key, 'ForwardAgent yes'))).toBe(9)
    // Another one may be meant for it than the one that knows all keys.
    const small = await startAgent(join(folder, 'small.sock'))
    small.add(join(folder, 'wrong-0'))
    for (const login of [agent.socket, 'none']) {
      const forward = `ForwardAgent ${small.socket}`
      expect(Number(await ask(list, `IdentityAgent ${login}`, key, forward))).toBe(1)
    }
    await small.stop()
  })

  test('a silent agent costs 5 s, not the login', async () => {
    const socket = join(folder, 'mute.sock')
    const mute = createServer().listen(socket)
    await once(mute, 'listening')
    const begun = performance.now()
    expect(await login(`IdentityAgent ${socket}`, `IdentityFile ${site.sshd.privateKeyPath}`)).toBe('in')
    expect(performance.now() - begun).toBeGreaterThan(4_900)
    mute.close()
  })

  test('a hardware key alone is refused by name', async () => {
    const path = join(folder, 'id_sk')
    writeFileSync(path, hardwareKey())
    const problem = await problemOf(login('IdentityAgent none', `IdentityFile ${path}`))
    expect(problem).toMatchObject({ code: 'SSH_UNSUPPORTED', kind: 'check' })
    expect(problem.message).toBe(`web1: ${path}: keys of type sk-ssh-ed25519@openssh.com are not supported`)
  })

  test.each(['CertificateFile /x-cert.pub', 'PubkeyAuthentication no', 'KnownHostsCommand /bin/true'])(
    '%s is refused by name',
    async (line) => {
      const problem = await problemOf(login(line))
      expect(problem.code).toBe('SSH_UNSUPPORTED')
      expect(problem.message).toContain(line.split(' ')[0])
    },
  )

  test('what ssh_config says of the way and of known keys is done', async () => {
    const known = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const line = `${site.sshd.knownHostsLine}\n`
    const [good, empty] = [known('known-good', line), known('known-empty', '')]
    const revoked = known('known-revoked', `@revoked * ${line.replace(/^\S+ /, '')}`)
    const from = async (...lines: string[]): Promise<string> => {
      const config = join(folder, 'ssh_config_of_the_way')
      const { port, user, privateKeyPath } = site.sshd
      const fixed = [
        `Port ${String(port)}`,
        `User ${user}`,
        'IdentityAgent none',
        `IdentityFile ${privateKeyPath}`,
      ]
      writeFileSync(config, `Host web1\n${[...lines, ...fixed].map((one) => `  ${one}\n`).join('')}`)
      const shells = createShells({ root: folder, sshConfig: config })
      const said = await shellOf(shells, hostNamed('web1')).capture`echo "\${SSH_CONNECTION%% *}"`.catch(
        (error: unknown) => (error as Problem).code,
      )
      await shells.close()
      return said
    }
    const here = 'HostName 127.0.0.1'
    const user = `UserKnownHostsFile ${good}`
    const nobody = 'GlobalKnownHostsFile /dev/null'
    expect(await from(here, user, nobody)).toBe('127.0.0.1')
    expect(await from(here, user, nobody, 'BindAddress 127.0.0.2')).toBe('127.0.0.2')
    expect(
      await from(
        'HostName localhost',
        'HostKeyAlias [127.0.0.1]:' + String(site.sshd.port),
        user,
        nobody,
        'AddressFamily inet',
      ),
    ).toBe('127.0.0.1')
    expect(await from(here, `UserKnownHostsFile ${empty}`, `GlobalKnownHostsFile ${good}`)).toBe('127.0.0.1')
    expect(await from(here, `UserKnownHostsFile ${empty} ${good}`, nobody)).toBe('127.0.0.1')
    expect(await from(here, user, `GlobalKnownHostsFile ${revoked}`)).toBe('HOST_KEY_REVOKED')
    expect(await from(here, `UserKnownHostsFile ${empty}`, nobody)).toBe('HOST_KEY_UNKNOWN')
    // Nobody listens by the other family, or this machine has none.
    const six = ['HostName localhost', user, nobody, 'AddressFamily inet6']
    expect(await from(...six)).toMatch(/^(HOST_UNREACHABLE|HOST_NOT_FOUND)$/)
  })

  test('an ssh_config that ssh refuses is shown with its line', async () => {
    const problem = await problemOf(login('NoSuchKeyword yes'))
    expect(problem).toMatchObject({ code: 'SSH_CONFIG', kind: 'check' })
    expect(problem.message).toContain('line 7: Bad configuration option: nosuchkeyword')
  })
})

interface Agent {
  readonly socket: string
  add(path: string): void
  stop(): Promise<void>
}

async function startAgent(socket: string): Promise<Agent> {
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  return {
    socket,
    add: (path) =>
      void execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socket } }),
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** The frame of an OpenSSH private key around a public key of a security key; nobody gets as far as the rest. */
function hardwareKey(): string {
  const part = (bytes: Buffer | string): Buffer => {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(bytes.length)
    return Buffer.concat([size, Buffer.from(bytes)])
  }
  const publicKey = Buffer.concat([
    part('sk-ssh-ed25519@openssh.com'),
    part(Buffer.alloc(32, 1)),
    part('ssh:'),
  ])
  const one = Buffer.from([0, 0, 0, 1])
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    part('none'),
    part('none'),
    part(''),
    one,
    part(publicKey),
    part(Buffer.concat([one, one, publicKey])),
  ])
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`
}
