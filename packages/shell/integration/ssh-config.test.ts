import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Host } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { askSsh } from '../src/ssh/ask-ssh.ts'
import { readConfig } from '../src/ssh/config-file.ts'
import { type Settings, settingsFrom } from '../src/ssh/settings.ts'
import { createResolver } from '../src/ssh/target.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf } from './host.ts'

const temp = tempFolder('ssh-config')
afterAll(() => temp.remove())

const PATH = process.env['PATH'] ?? ''
let at = 0
let folder: string
let asked: string
let config: string
beforeEach(() => {
  folder = join(temp.path, String(++at))
  mkdirSync(folder)
  config = join(folder, 'config')
  asked = join(folder, 'asked')
  const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
  // ssh itself, but each call of it leaves a line.
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin', 'ssh'), `#!/bin/sh\necho "$*" >> '${asked}'\nexec '${real}' "$@"\n`)
  chmodSync(join(folder, 'bin', 'ssh'), 0o755)
  process.env['PATH'] = `${join(folder, 'bin')}${delimiter}${PATH}`
})
afterEach(() => {
  process.env['PATH'] = PATH
})
const timesAsked = (): number =>
  existsSync(asked) ? readFileSync(asked, 'utf8').trim().split('\n').length : 0

const settingsOf = async (names: readonly string[]): Promise<Settings[]> => {
  const resolver = createResolver(config)
  return (await Promise.all(names.map((name) => resolver.target(hostNamed(name))))).map(
    ({ settings }) => settings,
  )
}
const fifty = Array.from({ length: 50 }, (_, at) => `web${String(at)}.example.com`)

describe('asking ssh', () => {
  test('fifty hosts that the config treats alike: once', async () => {
    writeFileSync(
      config,
      'ControlPath ~/.ssh/%C\nHost web*\n  User deploy\n  Port 2222\nHost other\n  User root\n',
    )
    const all = await settingsOf(fifty)
    expect(timesAsked()).toBe(1)
    expect(all.map(({ hostname, user, port }) => [hostname, user, port])).toEqual(
      fifty.map((name) => [name, 'deploy', 2222]),
    )
  })

  test('two kinds of hosts: twice', async () => {
    writeFileSync(config, 'Host web?.*\n  User few\nHost *\n  User many\n')
    const all = await settingsOf(fifty)
    expect(timesAsked()).toBe(2)
    expect(all.filter(({ user }) => user === 'few')).toHaveLength(10)
  })

  test('the same host again, and under another name of the config: once', async () => {
    writeFileSync(config, '')
    const resolver = createResolver(config)
    await resolver.target(hostNamed('web1'))
    await resolver.target(hostNamed('again', { address: 'web1' }))
    expect(timesAsked()).toBe(1)
  })

  test.each([
    ['Match', 'Match exec true\n  User deploy\n'],
    ['HostName made of the name', 'Host *\n  HostName %h.intern\n'],
    ['CanonicalizeHostname', 'CanonicalizeHostname yes\nCanonicalDomains example.com\n'],
    ['an identity of its own for each host', 'IdentityFile ~/.ssh/%n\n'],
    ['quotes', 'Host "web*"\n  User deploy\n'],
  ])('%s: once for each host', async (_, text) => {
    writeFileSync(config, text)
    await settingsOf(fifty.slice(0, 5))
    expect(timesAsked()).toBe(5)
  })

  test('a run that ends while ssh is at a Match exec does not wait for it', async () => {
    const marker = join(folder, 'matching')
    writeFileSync(config, `Match exec "echo $$ > ${marker}; exec sleep 1000"\n  User deploy\n`)
    const shells = createShells({ root: folder, sshConfig: config })
    const waiting = problemOf(shellOf(shells, hostNamed('web1')).sh`true`)
    await until(() => existsSync(marker) && readFileSync(marker, 'utf8').endsWith('\n'))
    const begun = performance.now()
    await shells.close()
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect((await waiting).message).toBe('web1: the run has closed its connections')
    process.kill(Number(readFileSync(marker, 'utf8')))
  })

  test('a config that ssh refuses is refused for each host, by its own name', async () => {
    writeFileSync(config, 'NoSuchKeyword yes\n')
    const resolver = createResolver(config)
    const problems = await Promise.all(['a', 'b'].map((name) => problemOf(resolver.target(hostNamed(name)))))
    expect(problems.map(({ code, details }) => [code, details.host])).toEqual([
      ['SSH_CONFIG', 'a'],
      ['SSH_CONFIG', 'b'],
    ])
  })
})

describe.each(['asking ssh', 'without ssh'])('what counts, %s', (how) => {
  beforeEach(() => {
    if (how === 'without ssh') process.env['PATH'] = join(folder, 'nothing')
  })
  const me = userInfo().username
  const said = 'Host web1\n  HostName 10.0.0.1\n  User configured\n  Port 2200\n'

  test.each<[string, string, Partial<Host>, string]>([
    ['nothing is said: the defaults', '', {}, `${me}@web1:22`],
    ['ssh_config beats them', said, {}, 'configured@10.0.0.1:2200'],
    ['the address beats ssh_config', said, { address: 'addressed@web1:2300' }, 'addressed@10.0.0.1:2300'],
    ['half of an address beats half of it', said, { address: 'web1:2300' }, 'configured@10.0.0.1:2300'],
    [
      'user and port beat both',
      said,
      { address: 'addressed@web1:2300', user: 'own', port: 2400 },
      'own@10.0.0.1:2400',
    ],
    ['one of them alone', said, { port: 2400 }, 'configured@10.0.0.1:2400'],
    [
      'an address is not looked up by the name of the host',
      said,
      { address: '10.0.0.9' },
      `${me}@10.0.0.9:22`,
    ],
  ])('%s', async (_, text, more, expected) => {
    writeFileSync(config, text)
    const { settings } = await createResolver(config).target(hostNamed('web1', more))
    expect(`${settings.user}@${settings.hostname}:${String(settings.port)}`).toBe(expected)
  })
})

/** Numbers that are the same in every run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

describe('the same answers as ssh -G', () => {
  const random = sequence(20261124)
  const pick = <T>(items: readonly T[]): T => items[random() % items.length]!
  const hosts = [
    'web1',
    'web2',
    'web10',
    'db.example.com',
    '10.0.0.7',
    'WEB1',
    'bastion',
    '::1',
    '127.1',
    'x',
  ]
  const patterns = [
    'web1',
    'web*',
    'web?',
    '*',
    '!web1 *',
    '* !web2',
    '*.example.com',
    '10.0.*',
    'bastion x',
    'b* d*',
  ]
  const plain = [
    'User deploy',
    'User = root',
    'Port 2222',
    'port=2200',
    'HostName web1',
    'HostName 10.9.8.7',
    'IdentityFile ~/.ssh/one',
    'IdentityFile "/a b/two"',
    'IdentitiesOnly yes',
    'IdentityAgent none',
    'UserKnownHostsFile /k1 /k2',
    'HostKeyAlias app',
    'ProxyJump bastion',
    'ProxyJump none',
    'StrictHostKeyChecking accept-new',
    'AddressFamily inet',
    'ForwardAgent yes',
    'HashKnownHosts yes',
    'ConnectTimeout 4',
    'ControlPath ~/.ssh/%r@%h',
    '# a comment',
    '',
  ]
  const ofTheirName = [
    'HostName %h.example.com',
    'ProxyCommand nc %h %p',
    'IdentityFile ~/.ssh/%h',
    'UserKnownHostsFile /k_%h',
  ]
  const lines = (from: readonly string[]): string =>
    Array.from({ length: random() % 5 }, () => `  ${pick(from)}\n`).join('')
  const block = (from: readonly string[]): string => `Host ${pick(patterns)}\n${lines(from)}`
  const text = (from: readonly string[]): string => {
    const included = join(folder, `included-${String(random())}`)
    writeFileSync(included, `${lines(from)}${block(from)}`)
    const include = pick(['', `Include ${included}\n`, `Host web*\n  Include ${included}\n`])
    return `${pick(['', lines(from)])}${block(from)}${include}${block(from)}${pick(['', 'Host *\n'])}${lines(from)}`
  }
  const direct = async (alias: string): Promise<Settings> => {
    const inquiry = { name: alias, alias, user: undefined, port: undefined, configFile: config }
    return settingsFrom(alias, (await askSsh(inquiry))!.text, alias)
  }

  test('on 60 random configs, however many hosts share one', async () => {
    let shared = 0
    for (let round = 0; round < 60; round++) {
      writeFileSync(config, text(round % 2 === 0 ? plain : [...plain, ...ofTheirName]))
      const expected = await Promise.allSettled(hosts.map((host) => direct(host)))
      const before = timesAsked()
      const resolver = createResolver(config)
      const settled = await Promise.allSettled(
        hosts.map((host) => resolver.target(hostNamed(host, { address: host === '::1' ? '[::1]' : host }))),
      )
      shared += Math.max(0, hosts.length - (timesAsked() - before))
      for (const [index, one] of settled.entries()) {
        const theirs = expected[index]!
        // A host that is its own jump host is refused, by ssh or by us.
        if (one.status === 'rejected') expect(String(one.reason)).toMatch(/in a circle|jumphost loop/)
        else if (theirs.status === 'rejected') throw theirs.reason
        else
          expect([readFileSync(config, 'utf8'), one.value.settings]).toEqual([
            readFileSync(config, 'utf8'),
            theirs.value,
          ])
      }
    }
    expect(shared).toBeGreaterThan(60)
  }, 120_000)

  test('on 100 random configs, without ssh', async () => {
    // What only a program can know is not there without it.
    const unrestricted = ({ algorithms: _a, keepaliveCount: _k, ...settings }: Settings) => ({
      ...settings,
      identityFiles: settings.identityFiles.filter((path) => !/_sk$|id_(dsa|xmss)$/.test(path)),
    })
    const names = hosts.filter((host) => !['WEB1', '127.1'].includes(host))
    for (let round = 0; round < 100; round++) {
      writeFileSync(config, text([...plain, ...ofTheirName.slice(0, 3)]))
      for (const alias of [pick(names), pick(names)]) {
        const theirs = await direct(alias).catch((reason: unknown) => String(reason))
        if (typeof theirs === 'string') {
          expect(theirs).toContain('jumphost loop')
          continue
        }
        const inquiry = { name: alias, alias, user: undefined, port: undefined, configFile: config }
        const ours = settingsFrom(alias, await readConfig(inquiry), alias)
        expect([readFileSync(config, 'utf8'), alias, unrestricted(ours)]).toEqual([
          readFileSync(config, 'utf8'),
          alias,
          unrestricted(theirs),
        ])
      }
    }
  }, 120_000)
})

describe('without ssh', () => {
  const read = (alias: string, user?: string) =>
    readConfig({ name: alias, alias, user, port: undefined, configFile: config })

  test('Match by name and user, and Include by a pattern', async () => {
    for (const name of ['20-b.conf', '10-a.conf'])
      writeFileSync(join(folder, name), `Port ${name.slice(0, 2)}\n`)
    writeFileSync(
      config,
      `Match originalhost web1 user deploy\n  IdentityFile /matched\nMatch all\n  Include ${folder}/*.conf\n`,
    )
    expect(await read('web1', 'deploy')).toContain('identityfile /matched')
    expect(await read('web1', 'root')).not.toContain('/matched')
    expect((await read('x')).match(/^port \d+$/gm)).toEqual(['port 10', 'port 20'])
  })

  test.each([
    ['Match exec true\n', 'SSH_UNSUPPORTED', 'Match exec in'],
    ['Match final all\n', 'SSH_UNSUPPORTED', 'Match final in'],
    ['CanonicalizeHostname yes\n', 'SSH_UNSUPPORTED', 'CanonicalizeHostname in'],
    ['Include /etc/*/x\n', 'SSH_UNSUPPORTED', 'Include /etc/*/x in'],
    ['User "never closed\n', 'SSH_CONFIG', 'Unexpected line break'],
  ])('%j is refused by name', async (text, code, words) => {
    writeFileSync(config, text)
    const problem = await problemOf(read('web1'))
    expect(problem).toMatchObject({ code, kind: 'check', details: { host: 'web1', retryable: false } })
    expect(problem.message).toContain(words)
  })

  test('a config that was named and is not there', async () => {
    const problem = await problemOf(read('web1'))
    expect(problem.message).toContain(`web1: ${config} cannot be read: ENOENT`)
  })

  test('a file that includes itself', async () => {
    writeFileSync(config, `Include ${config}\n`)
    expect((await problemOf(read('web1'))).message).toContain('is included too deep')
  })

  test('hosts are resolved all the same', async () => {
    process.env['PATH'] = join(folder, 'nothing')
    writeFileSync(config, 'Host web*\n  User deploy\n  HostName %h.intern\n')
    const [settings] = await settingsOf(['web1'])
    expect(settings).toMatchObject({ user: 'deploy', hostname: 'web1.intern', port: 22 })
  })
})

describe('jump hosts', () => {
  const chain = async (name: string): Promise<string[]> => {
    const names: string[] = []
    for (let hop = await createResolver(config).target(hostNamed(name)); ; hop = hop.through) {
      names.push(`${hop.settings.user}@${hop.settings.hostname}:${String(hop.settings.port)}`)
      if (!hop.through) return names
    }
  }

  test('each has its own block; one of several is reached through those before it, whatever its block says', async () => {
    writeFileSync(
      config,
      `Host inner
  HostName 10.1.0.1
  User deploy
  ProxyJump first,me@second:2222
Host first
  HostName 10.0.0.1
  User one
  ProxyJump zero
Host second
  HostName 10.0.0.2
  ProxyJump elsewhere
Host zero
  User nobody
`,
    )
    expect(await chain('inner')).toEqual([
      'deploy@10.1.0.1:22',
      'me@10.0.0.2:2222',
      'one@10.0.0.1:22',
      'nobody@zero:22',
    ])
  })

  test('a circle is told, not followed', async () => {
    writeFileSync(config, 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nUser me\n')
    const problem = await problemOf(createResolver(config).target(hostNamed('a')))
    expect(problem).toMatchObject({ code: 'SSH_CONFIG', kind: 'check' })
    expect(problem.message).toMatch(/^a: the jump hosts go in a circle: \w+@a:22 → \w+@b:22 → \w+@a:22$/)
  })
})
