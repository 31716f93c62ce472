import { defineConfig, type Host, loadCatalog, secret } from '@deployfile/core'
import { expect, test } from 'vitest'
import { problemOf } from '../problem-of.ts'

/** A host as a config in plain JavaScript may write it. */
function hostOf(spec: object, name = 'web1', stage: object = {}): Host | undefined {
  const stages = { production: { hosts: { [name]: { roles: [], ...spec } }, ...stage } }
  return loadCatalog(defineConfig({ stages })).stages.get('production')?.hosts[0]
}

test('pins, folders and sudo have one form for those who use them', () => {
  const pin = `SHA256:${'A'.repeat(43)}`
  expect(hostOf({ hostKey: pin, path: '~/.rbenv/shims:/opt/bin', sudo: true })).toMatchObject({
    hostKey: [pin],
    path: ['~/.rbenv/shims', '/opt/bin'],
    sudo: {},
  })
  const password = secret.env('SUDO_PASSWORD')
  expect(
    hostOf({ hostKey: [pin, `${pin}=`], path: ['~/a', '/b'], sudo: { password }, login: true }),
  ).toMatchObject({
    hostKey: [pin, `${pin}=`],
    path: ['~/a', '/b'],
    sudo: { password },
    login: true,
  })
})

test('what a host does not say is not there', () => {
  expect(hostOf({})).toEqual({
    name: 'web1',
    stage: 'production',
    roles: [],
    transport: 'ssh',
    address: 'web1',
    primary: false,
    props: {},
  })
})

test('hostKeys of the stage is for hosts that do not say themselves', () => {
  expect(hostOf({}, 'web1', { hostKeys: 'accept-new' })?.hostKeys).toBe('accept-new')
  expect(hostOf({ hostKeys: 'strict' }, 'web1', { hostKeys: 'accept-new' })?.hostKeys).toBe('strict')
})

const PIN = 'a host key is pinned by its fingerprint, as ssh-keygen -l prints it: SHA256:…'
const PATH = 'path is a folder or a list of folders, each starting with / or ~/'
const SUDO = "sudo is true, or { password: … } with a secret such as secret.env('SUDO_PASSWORD')"
const USER = 'a user is one word without @, : or quotes, not starting with a dash'
test.each([
  [{ hostKey: 'MD5:aa' }, `hostKey of the host 'web1' of the stage 'production': ${PIN}`],
  [{ hostKey: [] }, `hostKey of the host 'web1' of the stage 'production': ${PIN}`],
  [
    { hostKey: [`SHA256:${'A'.repeat(43)}`, 'x'] },
    `hostKey of the host 'web1' of the stage 'production': ${PIN}`,
  ],
  [{ path: 'bin' }, `path of the host 'web1' of the stage 'production': ${PATH}`],
  [{ path: ['/a:/b', 'relative'] }, `path of the host 'web1' of the stage 'production': ${PATH}`],
  [{ path: '/a\n/b' }, `path of the host 'web1' of the stage 'production': ${PATH}`],
  [{ sudo: { password: 'plain' } }, `sudo of the host 'web1' of the stage 'production': ${SUDO}`],
  [{ sudo: { pasword: secret.env('X') } }, `sudo of the host 'web1' of the stage 'production': ${SUDO}`],
  [{ sudo: false }, `sudo of the host 'web1' of the stage 'production': ${SUDO}`],
  [{ user: '-oX' }, `user of the host 'web1' of the stage 'production': ${USER}`],
  [{ user: '$(id)' }, `user of the host 'web1' of the stage 'production': ${USER}`],
  [{ user: 'a b' }, `user of the host 'web1' of the stage 'production': ${USER}`],
])('%j is refused', (spec, message) => {
  expect(problemOf(() => hostOf(spec))).toMatchObject({ kind: 'usage', code: 'CONFIG_INVALID', message })
})

test('a name that is looked up has to be one', () => {
  expect(problemOf(() => hostOf({}, '-oProxyCommand=id')).message).toBe(
    "the host '-oProxyCommand=id' of the stage 'production': the address '-oProxyCommand=id' starts with a dash, which ssh would take for an option",
  )
  // With an address of its own, and on this machine, it is only a name.
  expect(hostOf({ address: '10.0.0.7' }, 'web:x')?.name).toBe('web:x')
  expect(hostOf({ transport: 'local' }, 'web:x')?.name).toBe('web:x')
})
