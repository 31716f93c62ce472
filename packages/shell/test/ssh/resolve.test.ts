import { homedir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { parseSettings, settingsFrom, splitPaths } from '../../src/ssh/resolve.ts'

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
      knownHostsFiles: ['/a', '/b'],
      hostKeyAlias: 'app',
      family: 6,
      bindAddress: undefined,
    })
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
    ['proxyjump bastion', 'ProxyJump bastion'],
    ['proxycommand nc %h %p', 'ProxyCommand nc %h %p'],
    ['certificatefile ~/x-cert.pub', 'CertificateFile ~/x-cert.pub'],
    ['pkcs11provider /lib/x.so', 'PKCS11Provider /lib/x.so'],
    ['knownhostscommand /bin/x', 'KnownHostsCommand /bin/x'],
    ['revokedhostkeys /etc/krl', 'RevokedHostKeys /etc/krl'],
  ])('%s is refused by name', (line, named) => {
    expect(() => settingsFrom('web1', `${BASE}${line}\n`, 'web1')).toThrow(
      `web1: ${named} of ssh_config is not supported yet`,
    )
  })
})

test('a path with spaces is recognised by being there', () => {
  const there = (path: string): boolean => path === '/my keys/known' || path === '/b'
  expect(splitPaths('/a /my keys/known /b', there)).toEqual(['/a', '/my keys/known', '/b'])
  expect(splitPaths('none', there)).toEqual([])
})
