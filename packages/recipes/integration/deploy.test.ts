import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readlinkSync, statSync, symlinkSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Release } from '../src/index.ts'
import { makeSite, REQUIRED_FILE, type HostFolder, type Ran, type Site } from './site.ts'

let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(() => site[Symbol.asyncDispose]())

const both = (): readonly HostFolder[] => [site.web1, site.db1]

function expectDone(ran: Ran): void {
  expect(ran.problems).toEqual([])
  expect(ran.status).toBe('done')
}

/** Everything that Capistrano would look at. */
function expectLayout(host: HostFolder, releases: readonly string[], revision: string): void {
  const live = releases.at(-1) ?? ''
  const path = `${host.deployTo}/releases/${live}`
  expect(host.list('')).toEqual(['.deployfile', 'current', 'releases', 'repo', 'revisions.log', 'shared'])
  expect(host.list('.deployfile')).toEqual(['releases.jsonl'])
  expect(host.list('releases')).toEqual(releases)
  expect(live).toMatch(/^\d{14}$/)
  expect(host.link('current')).toBe(path)
  expect(host.read('current/REVISION')).toBe(`${revision}\n`)
  expect(host.read('current/REVISION_TIME')).toMatch(/^\d{10}\n$/)
  expect(host.link('current/log')).toBe(`${host.deployTo}/shared/log`)
  expect(host.link('current/tmp/pids')).toBe(`${host.deployTo}/shared/tmp/pids`)
  expect(host.link(`current/${REQUIRED_FILE}`)).toBe(`${host.deployTo}/shared/${REQUIRED_FILE}`)
  expect(host.read(`current/${REQUIRED_FILE}`)).toBe('secret')
  expect(host.list('shared/log')).toEqual([])
}

describe('deploy', () => {
  it('makes the whole layout on every host, twice', async () => {
    const first = site.git.revision()
    const ran = await site.run('deploy')
    expectDone(ran)
    const one = site.web1.live()
    for (const host of both()) {
      expectLayout(host, [one], first)
      expect(host.read('current/app.txt')).toBe('one')
      expect(statSync(host.at('current/bin/start')).isFile()).toBe(true)
      expect(host.read('../restarts')).toBe(`${first}\n`)
      expect(host.read('revisions.log')).toBe(
        `Branch master (at ${first}) deployed as release ${one} by tester\n`,
      )
      expect(host.ledger()).toEqual([`${one} building`, `${one} live`, `${one} restart`])
    }
    const second = site.git.commit({ 'app.txt': 'two' })
    const again = await site.run('deploy')
    expectDone(again)
    const two = site.web1.live()
    expect(two > one).toBe(true)
    for (const host of both()) {
      expectLayout(host, [one, two], second)
      expect(host.read('current/app.txt')).toBe('two')
      expect(host.read('revisions.log').split('\n')).toHaveLength(3)
    }
    const release = again.nodes.get('deploy:release@production/db1')?.result as Release
    expect(release).toEqual({
      ...{ name: two, revision: second, branch: 'master', path: `${site.db1.deployTo}/releases/${two}` },
      previous: `${site.db1.deployTo}/releases/${one}`,
    })
    expect(site.web1.has('../../migrations')).toBe(false)
  })

  it('keeps a mirror that Capistrano can use, and follows a changed address', async () => {
    expectDone(await site.run('deploy'))
    expect(site.web1.read('repo/config')).toContain('mirror = true')
    const other = makeSite()
    const revision = other.git.commit({ 'app.txt': 'elsewhere' })
    expectDone(await site.run('deploy', { options: { repository: other.git.repository } }))
    expect(site.web1.read('current/REVISION')).toBe(`${revision}\n`)
    expect(site.web1.read('repo/config')).toContain(other.git.repository)
    await other[Symbol.asyncDispose]()
  })

  it('uses an absolute deployTo exactly as it is written, links in it unresolved', async () => {
    mkdirSync(`${site.path}/disk`)
    symlinkSync(`${site.path}/disk`, `${site.path}/srv`)
    const options = {
      deployTo: (_: unknown, host?: { name: string }) => `${site.path}/srv/${host?.name ?? ''}/`,
      linkedFiles: [],
    }
    expectDone(await site.run('deploy', { options }))
    expectDone(await site.run('deploy', { options: { ...options, keepReleases: 1 } }))
    const [name, ...others] = readdirSync(`${site.path}/disk/web1/releases`)
    expect(others).toEqual([])
    expect(readlinkSync(`${site.path}/srv/web1/current`)).toBe(`${site.path}/srv/web1/releases/${name ?? ''}`)
  })

  it('takes tags and full hashes', async () => {
    const old = site.git.revision()
    site.git.git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'tag', '-a', 'v1', '-m', 'x', old)
    site.git.commit({ 'app.txt': 'two' })
    expectDone(await site.run('deploy', { options: { branch: 'v1' } }))
    expect(site.web1.read('current/REVISION')).toBe(`${old}\n`)
    expectDone(await site.run('deploy', { options: { branch: site.git.revision() } }))
    expect(site.web1.read('current/app.txt')).toBe('two')
    expectDone(await site.run('deploy', { options: { branch: old } }))
    expect(site.web1.read('current/app.txt')).toBe('one')
  })

  it('lets linked files and folders take the place of tracked ones', async () => {
    site.git.commit({ [REQUIRED_FILE]: 'example', 'log/tracked.log': 'again' })
    expectDone(await site.run('deploy'))
    expect(site.web1.read(`current/${REQUIRED_FILE}`)).toBe('secret')
    expect(site.web1.list('current/log')).toEqual([])
  })

  it('writes one line to revisions.log, whatever the user is called', async () => {
    expectDone(await site.run('deploy', { user: 'a (b)\n$(touch x) \'"' }))
    expect(site.web1.read('revisions.log')).toMatch(/ by a \(b\) \$\(touch x\) '"\n$/)
    expect(site.web1.read('revisions.log').split('\n')).toHaveLength(2)
  })
})

describe('deploy:migrations', () => {
  it('migrates once, in the release, before the flip', async () => {
    expectDone(await site.run('deploy'))
    const old = site.git.revision()
    const revision = site.git.commit({ 'app.txt': 'two' })
    const options = { migrate: `cat REVISION ../../current/REVISION >> ${site.path}/migrations` }
    expectDone(await site.run('deploy:migrations', { options }))
    expect(site.web1.read('../../migrations')).toBe(`${revision}\n${old}\n`)
    for (const host of both()) expect(host.read('current/REVISION')).toBe(`${revision}\n`)
  })

  it('a migration that fails leaves current as it was and no release anywhere', async () => {
    expectDone(await site.run('deploy'))
    const before = both().map((host) => [
      host.link('current'),
      host.list('releases'),
      host.read('revisions.log'),
    ])
    site.git.commit({ 'app.txt': 'two' })
    const ran = await site.run('deploy:migrations', {
      options: { migrate: 'echo relation users exists >&2; exit 7' },
    })
    expect(ran.status).toBe('failed')
    expect(ran.problems).toEqual(['task MIGRATION_FAILED: db1: the migration failed: relation users exists'])
    expect(
      both().map((host) => [host.link('current'), host.list('releases'), host.read('revisions.log')]),
    ).toEqual(before)
    for (const host of both()) expect(host.ledger().at(-1)).toMatch(/ failed$/)
    expectDone(await site.run('deploy'))
  })

  it('a first deploy whose migration fails leaves no current', async () => {
    const ran = await site.run('deploy:migrations', { options: { migrate: 'exit 1' } })
    expect(ran.status).toBe('failed')
    for (const host of both()) expect([host.has('current'), host.list('releases')]).toEqual([false, []])
  })

  it('an interrupted migration is undone like a failed one', async () => {
    expectDone(await site.run('deploy'))
    const before = both().map((host) => [host.link('current'), host.list('releases')])
    const ran = await site.run('deploy:migrations', {
      options: { migrate: 'sleep 60' },
      onEvent(event, stop) {
        if (
          event.type === 'node.command' &&
          event.node.startsWith('deploy:migrate') &&
          event.event.type === 'command.started'
        )
          stop()
      },
    })
    expect(ran.status).toBe('cancelled')
    expect(both().map((host) => [host.link('current'), host.list('releases')])).toEqual(before)
  })
})

describe('a restart that fails', () => {
  it('goes back on every host, and starts the old release again', async () => {
    expectDone(await site.run('deploy'))
    const [old, before] = [
      site.git.revision(),
      both().map((host) => [host.link('current'), host.list('releases')]),
    ]
    const revision = site.git.commit({ 'app.txt': 'two' })
    // Starts the old one, refuses the new one on one host.
    const restart = `cat REVISION >> ../../../restarts; case $PWD in *db1*) ! grep -q ${revision} REVISION;; esac`
    const ran = await site.run('deploy', { options: { restart } })
    expect(ran.status).toBe('failed')
    expect(ran.problems).toHaveLength(1)
    expect(both().map((host) => [host.link('current'), host.list('releases')])).toEqual(before)
    expect(site.db1.read('../restarts')).toBe(`${old}\n${revision}\n${old}\n`)
    expect(site.web1.read('../restarts').endsWith(`${old}\n`)).toBe(true)
    expectDone(await site.run('deploy'))
  })

  it('and fails again when the old release is started says where current is', async () => {
    expectDone(await site.run('deploy'))
    const before = both().map((host) => [host.link('current'), host.list('releases')])
    const ran = await site.run('deploy', { options: { restart: 'echo no such unit >&2; exit 5' } })
    expect(ran.problems.filter((problem) => problem.startsWith('task RESTART_FAILED'))).toHaveLength(2)
    expect(ran.problems).toContain(
      'task UNDO_FAILED: current is back where it was, but web1: the restart failed: no such unit',
    )
    expect(ran.hints.join()).toContain('npx deployfile production deploy:restart')
    expect(both().map((host) => [host.link('current'), host.list('releases')])).toEqual(before)
  })

  it('on a first deploy leaves no current', async () => {
    const ran = await site.run('deploy', { options: { restart: 'exit 1' } })
    expect(ran.status).toBe('failed')
    for (const host of both()) expect([host.has('current'), host.list('releases')]).toEqual([false, []])
  })
})

/** Commits a symbolic link to the default branch. */
function trackLink(name: string, target: string): void {
  const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
    cwd: site.git.repository,
    input: target,
  }).toString()
  const tree = execFileSync('git', ['mktree'], {
    cwd: site.git.repository,
    input: `${site.git.git('ls-tree', 'master')}\n120000 blob ${blob.trim()}\t${name}\n`,
  })
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.com']
  const commit = site.git.git(...author, 'commit-tree', '-p', 'master', '-m', 'Link', tree.toString().trim())
  site.git.git('update-ref', 'refs/heads/master', commit)
}

describe('a release that cannot be built', () => {
  it('on one host stops the deploy everywhere, and says which step failed', async () => {
    expectDone(await site.run('deploy'))
    const before = both().map((host) => [host.link('current'), host.list('releases')])
    site.git.commit({ 'app.txt': 'two' })
    rmSync(site.db1.at('.deployfile/releases.jsonl'))
    site.db1.write('.deployfile/releases.jsonl/is/a/folder')
    const ran = await site.run('deploy')
    expect(ran.problems[0]).toMatch(/^task RELEASE_FAILED: db1: making the release failed: /)
    expect(both().map((host) => [host.link('current'), host.list('releases')])).toEqual(before)
  })

  it('because a folder is tracked where a file is linked', async () => {
    site.git.commit({ [`${REQUIRED_FILE}/x`]: 'x' })
    const ran = await site.run('deploy')
    expect(ran.problems).toContain(
      `task RELEASE_FAILED: web1: linking shared files failed: the linked file ${REQUIRED_FILE} is a folder in the repository`,
    )
    for (const host of both()) expect(host.list('releases')).toEqual([])
  })

  it('because a tracked link leads out of it, where linking would empty what is there', async () => {
    site.web1.write('../uploads/system/precious', 'x')
    trackLink('public', `${site.path}/web1/uploads`)
    const ran = await site.run('deploy', { options: { linkedDirs: ['public/system'] } })
    expect(ran.problems.at(-1)).toMatch(/public\/system: a link in the repository leads out of the release$/)
    expect(site.web1.read('../uploads/system/precious')).toBe('x')
  })

  it('because the commit does not exist', async () => {
    const ran = await site.run('deploy', { options: { branch: 'a'.repeat(40) } })
    expect(ran.problems[0]).toContain(
      `looking for the commit ${'a'.repeat(40)} failed: the repository has no such commit`,
    )
    for (const host of both()) expect([host.list('releases'), host.has('current')]).toEqual([[], false])
  })
})
