import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { makeSite, REQUIRED_FILE, type Site } from './site.ts'

let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(() => site[Symbol.asyncDispose]())

describe('linked files', () => {
  it('that are optional are linked where they are, and those that are here are put there once', async () => {
    writeFileSync(join(site.path, 'master.key'), 'from here')
    rmSync(site.web1.at(`shared/${REQUIRED_FILE}`))
    site.web1.write('shared/robots.txt', 'on web1')
    const linkedFiles = [
      { path: 'app.txt', optional: true },
      { path: 'robots.txt', optional: true },
      { path: REQUIRED_FILE, upload: 'master.key' },
    ]
    expect((await site.run('deploy', { options: { linkedFiles } })).problems).toEqual([])
    expect(site.web1.read(`current/${REQUIRED_FILE}`)).toBe('from here')
    expect(statSync(site.web1.at(`shared/${REQUIRED_FILE}`)).mode & 0o777).toBe(0o600)
    // What is there is never replaced.
    expect(site.db1.read(`current/${REQUIRED_FILE}`)).toBe('secret')
    expect([site.web1.read('current/robots.txt'), site.db1.has('current/robots.txt')]).toEqual([
      'on web1',
      false,
    ])
    // What git has of a file that is not in shared stays.
    expect(site.web1.read('current/app.txt')).toBe('one')
  })

  it('that are nowhere are missing', async () => {
    const ran = await site.run('deploy', {
      options: { linkedFiles: [{ path: 'x.key', upload: 'nowhere.key' }] },
    })
    expect(ran.problems[0]).toMatch(
      /^check HOST_NOT_READY: \w+: the linked file .*\/shared\/x\.key is missing$/,
    )
  })
})

describe('what is run on hosts', () => {
  const who = 'echo "$(id -un) $(umask) $GREETING" > who'

  it('has the environment, the umask and the group', async () => {
    const group = 'daemon'
    const options = { restart: who, env: { GREETING: `it's "$(touch pwned)"` }, umask: '027' }
    const grouped = process.getuid?.() === 0 ? { ...options, group } : options
    expect((await site.run('deploy', { options: grouped })).problems).toEqual([])
    expect(site.web1.read('current/who')).toBe(`${userInfo().username} 0027 it's "$(touch pwned)"\n`)
    expect(statSync(site.web1.at('current/who')).mode & 0o777).toBe(0o640)
    expect(site.web1.list('current')).not.toContain('pwned')
    if (process.getuid?.() === 0) {
      for (const name of ['current/app.txt', 'current/bin', 'shared/log'])
        expect(statSync(site.web1.at(name)).gid, name).not.toBe(statSync(site.path).gid)
    }
  })

  it('is refused in a group that the host does not have', async () => {
    const ran = await site.run('deploy', { options: { group: 'no-such-group' } })
    expect(ran.problems[0]).toMatch(/no-such-group/)
    for (const host of [site.web1, site.db1])
      expect([host.has('current'), host.list('releases')]).toEqual([false, []])
  })
})

describe.runIf(servicesFound('sudo') && process.getuid?.() === 0)('another user', () => {
  it('owns all that is made, and runs all that is run', async () => {
    chmodSync(site.path, 0o711)
    for (const host of [site.web1, site.db1])
      for (const path of ['', 'shared', 'shared/config', `shared/${REQUIRED_FILE}`, '..'])
        chownSync(host.at(path), 65534, 65534)
    // git reads no repository of another user's.
    chmodSync(join(site.git.repository, '..'), 0o711)
    execFileSync('chown', ['-R', '65534:65534', site.git.repository])
    const options = { user: 'nobody', restart: 'id -un > who', migrate: 'true' }
    expect((await site.run('deploy', { options })).problems).toEqual([])
    expect(site.web1.read('current/who')).toBe('nobody\n')
    const strangers = readdirSync(site.web1.deployTo, { recursive: true, encoding: 'utf8' })
      .map((name) => site.web1.at(name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.uid === 0)
    expect(strangers).toEqual([])
    expect((await site.run('deploy:rollback', { options })).problems[0]).toContain('NO_OLDER_RELEASE')
  })
})
