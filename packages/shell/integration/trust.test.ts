import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '@deployfile/core'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf } from '../test/contract.ts'
import { newKeyPair } from './key-pair.ts'
import {
  type Desk,
  fingerprintOf,
  type InProcessServer,
  makeDesk,
  shellTo,
  startServer,
  runCommands,
} from './ssh-server.ts'

const temp = tempFolder('trust')
afterAll(() => temp.remove())

let at = 0
let desk: Desk
let server: InProcessServer
beforeEach(async () => {
  desk = makeDesk(temp.path, String(++at))
  server = await startServer(['ed25519'], { onSession: runCommands })
})
afterEach(() => server.close())

const ACCEPT: Partial<Host> = { hostKeys: 'accept-new' }
const told: string[] = []
const greet = async (host: Partial<Host> = ACCEPT, config = ''): Promise<string> => {
  told.length = 0
  const { shell, close } = shellTo(server, desk, { host, config, notify: (message) => told.push(message) })
  try {
    return await shell.capture`echo hello`
  } finally {
    await close()
  }
}
const name = (): string => `[127.0.0.1]:${String(server.port)}`
const line = (): string => `${name()} ${server.publicKeys[0]!}\n`
const known = (): string => readFileSync(desk.knownHosts, 'utf8')
const lockOf = (): string => `${desk.knownHosts}.deployfile-lock`

describe('a new host key, accepted', () => {
  test('is added for the owner’s eyes, told with its fingerprint, and known from then on', async () => {
    expect(await greet()).toBe('hello')
    expect(known()).toBe(line())
    expect(statSync(desk.knownHosts).mode & 0o777).toBe(0o600)
    expect(told).toEqual([
      `web1: added its host key to known_hosts: ssh-ed25519 ${fingerprintOf(server.publicKeys[0]!)}`,
    ])
    expect(existsSync(lockOf())).toBe(false)
    expect(await greet({ hostKeys: 'strict' })).toBe('hello')
    expect(told).toEqual([])
    expect(known()).toBe(line())
  })

  test('by ssh_config as well, unless the host’s own word is stricter', async () => {
    const config = '  StrictHostKeyChecking accept-new\n'
    expect((await problemOf(greet({ hostKeys: 'strict' }, config))).code).toBe('HOST_KEY_UNKNOWN')
    expect(existsSync(desk.knownHosts)).toBe(false)
    expect(await greet({}, config)).toBe('hello')
  })

  test('has a line of its own, also after one that does not end', async () => {
    writeFileSync(desk.knownHosts, '# no end', { mode: 0o644 })
    await greet()
    expect(known()).toBe(`# no end\n${line()}`)
    // Whoever could read it before still can.
    expect(statSync(desk.knownHosts).mode & 0o777).toBe(0o644)
  })

  test('is hashed when ssh_config says so, and ssh-keygen finds it', async () => {
    await greet(ACCEPT, '  HashKnownHosts yes\n')
    expect(known()).toMatch(/^\|1\|[A-Za-z0-9+/=]+\|[A-Za-z0-9+/=]+ ssh-ed25519 /)
    const found = execFileSync('ssh-keygen', ['-F', name(), '-f', desk.knownHosts], { encoding: 'utf8' })
    expect(found).toContain('found: line 1')
    expect(await greet({ hostKeys: 'strict' })).toBe('hello')
  })

  test('goes into a folder that is made for it', async () => {
    const file = join(desk.folder, 'new', 'known_hosts')
    await greet(ACCEPT, `Match all\n`)
    const { shell, close } = shellTo(server, { ...desk, knownHosts: file }, { host: ACCEPT })
    expect(await shell.capture`echo hello`).toBe('hello')
    await close()
    expect(statSync(join(desk.folder, 'new')).mode & 0o777).toBe(0o700)
    expect(readFileSync(file, 'utf8')).toBe(line())
  })

  test('of ten runs at once, one adds it', async () => {
    const runs = Array.from({ length: 10 }, () => shellTo(server, desk, { host: ACCEPT }))
    expect(await Promise.all(runs.map(({ shell }) => shell.capture`echo hello`))).toEqual(
      runs.map(() => 'hello'),
    )
    await Promise.all(runs.map(({ close }) => close()))
    expect(known()).toBe(line())
  })

  test('a lock that somebody left is no hindrance', async () => {
    writeFileSync(lockOf(), '')
    const long = new Date(Date.now() - 60_000)
    utimesSync(lockOf(), long, long)
    expect(await greet()).toBe('hello')
  })
})

describe('what accept-new does not accept', () => {
  const authority = (): string => `@cert-authority * ${server.publicKeys[0]!}\n`
  const other = newKeyPair().public.split(' ').slice(0, 2).join(' ')
  test.each([
    ['a changed key', () => `${name()} ${other}\n`, 'HOST_KEY_CHANGED'],
    [
      'a key of another type than the known one',
      () => `${name()} ${newKeyPair('rsa').public.split(' ').slice(0, 2).join(' ')}\n`,
      'HOST_KEY_CHANGED',
    ],
    ['a revoked key', () => `@revoked * ${server.publicKeys[0]!}\n`, 'HOST_KEY_REVOKED'],
    ['a host that an authority speaks for', authority, 'SSH_UNSUPPORTED'],
  ])('%s', async (_, text, code) => {
    writeFileSync(desk.knownHosts, text())
    const before = known()
    const problem = await problemOf(greet())
    expect(problem).toMatchObject({ code, kind: 'check', details: { host: 'web1', retryable: false } })
    expect(known()).toBe(before)
    expect(server.heard).toEqual([])
  })

  test('whatever the settings: a changed key stays changed, and a revoked one revoked', async () => {
    const settings = [
      ...['yes', 'no', 'off', 'accept-new'].map((checking) => ({ checking, hostKeys: undefined })),
      ...(['strict', 'accept-new'] as const).map((hostKeys) => ({ checking: 'no', hostKeys })),
    ]
    for (const [text, code] of [
      [`${name()} ${other}\n`, 'HOST_KEY_CHANGED'],
      [`@revoked ${name()} ${server.publicKeys[0]!}\n`, 'HOST_KEY_REVOKED'],
    ] as const) {
      writeFileSync(desk.knownHosts, text)
      for (const { checking, hostKeys } of settings) {
        const config = `  StrictHostKeyChecking ${checking}\n  CheckHostIP no\n`
        const problem = await problemOf(greet({ ...(hostKeys && { hostKeys }) }, config))
        expect([checking, hostKeys, problem.code]).toEqual([checking, hostKeys, code])
      }
      expect(known()).toBe(text)
    }
    expect(server.heard).toEqual([])
  })

  test('a pin that does not fit', async () => {
    const problem = await problemOf(greet({ ...ACCEPT, hostKey: [`SHA256:${'A'.repeat(43)}`] }))
    expect(problem.code).toBe('HOST_KEY_CHANGED')
    expect(existsSync(desk.knownHosts)).toBe(false)
  })

  test('a key that cannot be remembered', async () => {
    mkdirSync(`${desk.knownHosts}.deployfile-lock`)
    const long = new Date(Date.now() + 3_600_000)
    utimesSync(lockOf(), long, long)
    const problem = await problemOf(greet())
    expect(problem).toMatchObject({
      code: 'KNOWN_HOSTS_UNWRITABLE',
      kind: 'check',
      details: { retryable: false },
    })
    expect(problem.message).toBe(
      `web1: its host key is new, and cannot be remembered: ${lockOf()} is held by somebody else`,
    )
    expect(problem.details.hint).toContain("hostKey: 'SHA256:…'")
    expect(server.heard).toEqual([])
  }, 30_000)

  test('a file beside which nothing can be made', async () => {
    const file = join(desk.folder, 'id', 'known_hosts')
    const { shell, close } = shellTo(server, { ...desk, knownHosts: file }, { host: ACCEPT })
    const problem = await problemOf(shell.sh`true`)
    await close()
    expect(problem.code).toMatch(/^KNOWN_HOSTS_UN(READ|WRIT)ABLE$/)
    expect(server.heard).toEqual([])
    chmodSync(join(desk.folder, 'id'), 0o600)
  })
})
