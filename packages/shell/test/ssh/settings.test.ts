import { homedir } from 'node:os'
import { isProblem } from '@deployfile/core'
import { describe, expect, test, vi } from 'vitest'
import { parseSettings, settingsFrom, splitPaths } from '../../src/ssh/settings.ts'

const BASE = 'host web1\nuser deploy\nhostname 10.0.0.7\nport 2222\n'

describe('settings', () => {
  test('the first value counts, identity files all', () => {
    const values = parseSettings('port 1\nport 2\nIdentityFile a b\nidentityfile c\nbare\n\n')
    expect(values.get('port')).toEqual(['1', '2'])
    expect(values.get('identityfile')).toEqual(['a b', 'c'])
    expect(values.has('bare')).toBe(false)
  })

  test('reads what a connection needs', () => {
    const settings = settingsFrom(
      'web1',
      `${BASE}identityfile ~/.ssh/id_ed25519\nidentityfile %d/keys/%r@%h:%p-%n-%%\nidentitiesonly yes\nidentityagent none\nuserknownhostsfile /a /b\nglobalknownhostsfile none\nhostkeyalias app\naddressfamily inet6\nproxyjump none\n`,
      'alias',
    )
    expect(settings).toEqual({
      alias: 'alias',
      hostname: '10.0.0.7',
      port: 2222,
      user: 'deploy',
      identityFiles: [`${homedir()}/.ssh/id_ed25519`, `${homedir()}/keys/deploy@10.0.0.7:2222-alias-%`],
      identitiesOnly: true,
      agent: undefined,
      forwardAgent: undefined,
      knownHostsFiles: ['/a', '/b'],
      hostKeyAlias: 'app',
      acceptNew: false,
      hashKnownHosts: false,
      checkHostIp: false,
      jumps: [],
      proxyCommand: undefined,
      family: 6,
      bindAddress: undefined,
      connectTimeout: undefined,
      keepaliveInterval: undefined,
      keepaliveCount: undefined,
      algorithms: {
        hostKey: undefined,
        kex: undefined,
        cipher: undefined,
        mac: undefined,
        identity: undefined,
      },
      rsaBits: 1024,
    })
  })

  test('reads what changes how it is done', () => {
    const lines = [
      'proxyjump me@b1:2222,ssh://you@[::1]',
      'stricthostkeychecking accept-new',
      'hashknownhosts yes',
      'checkhostip yes',
      'connecttimeout 3',
      'serveraliveinterval 5',
      'serveralivecountmax 2',
      'identityagent /run/agent',
      'forwardagent yes',
      'ciphers aes256-ctr,aes128-ctr',
    ]
    expect(settingsFrom('web1', `${BASE}${lines.join('\n')}\n`, 'web1')).toMatchObject({
      jumps: ['me@b1:2222', 'ssh://you@[::1]'],
      acceptNew: true,
      hashKnownHosts: true,
      checkHostIp: true,
      connectTimeout: 3_000,
      keepaliveInterval: 5_000,
      keepaliveCount: 2,
      forwardAgent: '/run/agent',
      algorithms: { cipher: ['aes256-ctr', 'aes128-ctr'] },
    })
  })

  test.each(['no', 'off', 'false', 'ask', 'yes', 'true'])(
    'StrictHostKeyChecking %s means strict',
    (value) => {
      expect(settingsFrom('a', `${BASE}stricthostkeychecking ${value}\n`, 'a').acceptNew).toBe(false)
    },
  )

  test('no limit of ssh’s is none of ours', () => {
    const settings = settingsFrom('a', `${BASE}connecttimeout none\nserveraliveinterval 0\n`, 'a')
    expect(settings).toMatchObject({ connectTimeout: undefined, keepaliveInterval: undefined })
  })

  test('tokens of a ProxyCommand are replaced, all else of it is left as it is', () => {
    const { proxyCommand } = settingsFrom(
      'a',
      `${BASE}proxycommand nc -x "%h" %p %r %n 100%% $HOME %z\n`,
      'a',
    )
    expect(proxyCommand).toBe('nc -x "10.0.0.7" 2222 deploy a 100% $HOME %z')
  })

  test('a jump that is no address is told', () => {
    expect(() => settingsFrom('web1', `${BASE}proxyjump -oProxyCommand=id\n`, 'web1')).toThrow(
      "web1: ProxyJump of ssh_config: the address '-oProxyCommand=id' starts with a dash",
    )
  })

  test('the agent is the environment’s, or the one that is named', () => {
    const before = process.env['SSH_AUTH_SOCK']
    process.env['SSH_AUTH_SOCK'] = '/run/agent'
    try {
      expect(settingsFrom('a', BASE, 'a').agent).toBe('/run/agent')
      expect(settingsFrom('a', `${BASE}identityagent SSH_AUTH_SOCK\n`, 'a').agent).toBe('/run/agent')
      expect(settingsFrom('a', `${BASE}identityagent $SSH_AUTH_SOCK\n`, 'a').agent).toBe('/run/agent')
      expect(settingsFrom('a', `${BASE}identityagent ~/agent\n`, 'a').agent).toBe(`${homedir()}/agent`)
    } finally {
      if (before === undefined) delete process.env['SSH_AUTH_SOCK']
      else process.env['SSH_AUTH_SOCK'] = before
    }
  })

  test.each([
    ['no', undefined],
    ['yes', '/run/login'],
    ['/run/other', '/run/other'],
    ['~/other', `${homedir()}/other`],
    ['$OTHER_AGENT', '/run/variable'],
    ['$NO_SUCH_AGENT', undefined],
  ])('ForwardAgent %s', (value, socket) => {
    vi.stubEnv('OTHER_AGENT', '/run/variable')
    const text = `${BASE}identityagent /run/login\nforwardagent ${value}\n`
    expect(settingsFrom('a', text, 'a').forwardAgent).toBe(socket)
    vi.unstubAllEnvs()
  })

  test.each([
    ['certificatefile ~/x-cert.pub', 'CertificateFile ~/x-cert.pub'],
    ['pkcs11provider /lib/x.so', 'PKCS11Provider /lib/x.so'],
    ['knownhostscommand /bin/x', 'KnownHostsCommand /bin/x'],
    ['revokedhostkeys /etc/krl', 'RevokedHostKeys /etc/krl'],
    ['bindinterface eth0', 'BindInterface eth0'],
    ['proxyusefdpass yes', 'ProxyUseFdpass yes'],
    ['pubkeyauthentication false', 'PubkeyAuthentication false'],
    [
      'preferredauthentications gssapi-with-mic,password',
      'PreferredAuthentications gssapi-with-mic,password',
    ],
  ])('%s is refused by name, with a line that takes it back', (line, named) => {
    const read = (more: string): unknown => settingsFrom('web1', `${BASE}${more}${line}\n`, 'web1')
    let hint: string | undefined
    try {
      read('')
    } catch (thrown) {
      if (!isProblem(thrown)) throw thrown
      expect(thrown.message).toBe(`web1: ${named} of ssh_config is not supported`)
      hint = thrown.details.hint
    }
    const [, instead = ''] = /and '([^']+)' above it/.exec(hint ?? '') ?? []
    expect(instead).not.toBe('')
    expect(() => read(`${instead.toLowerCase()}\n`)).not.toThrow()
  })

  test('PreferredAuthentications with keys among others is what happens anyway', () => {
    const text = `${BASE}preferredauthentications gssapi-with-mic,publickey,password\n`
    expect(() => settingsFrom('web1', text, 'web1')).not.toThrow()
  })
})

test('a path with spaces is recognised by being there', () => {
  const there = (path: string): boolean => path === '/my keys/known' || path === '/b'
  expect(splitPaths('/a /my keys/known /b', there)).toEqual(['/a', '/my keys/known', '/b'])
  expect(splitPaths('none', there)).toEqual([])
})

test('one that is not there yet ends where the next one begins', () => {
  const nowhere = (): boolean => false
  expect(splitPaths('/a b/known ~/c d e/known %d/f', nowhere)).toEqual([
    '/a b/known',
    '~/c d e/known',
    '%d/f',
  ])
  expect(splitPaths('one two', nowhere)).toEqual(['one', 'two'])
})
