import { existsSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import { makeCapistrano, type Capistrano } from './capistrano.ts'
import type { Deployment } from './deployment.ts'
import { startFleet, type Fleet } from './fleet.ts'

const OPTIONS = 'keepReleases: 3'

/** What must be in the one folder that both tools deploy to. Releases by their names in this story: one, two, … */
interface Expected {
  readonly releases: readonly string[]
  readonly live: string
  /** The last line of revisions.log. */
  readonly said?: string
  readonly archives?: readonly string[]
}

describe.runIf(servicesFound('sshd', 'capistrano'))(
  'Capistrano and deployfile on one folder, over SSH',
  () => {
    // One story: each test goes on from where the one before ended.
    let fleet: Fleet
    let capistrano: Capistrano
    let app: Deployment
    /** The names that releases got, and their commits. */
    const names = new Map<string, string>()
    const commits = new Map<string, string>()
    let lines = 0
    const archives: string[] = []

    beforeAll(async () => {
      fleet = await startFleet({ hosts: ['web1'], deploy: OPTIONS })
      capistrano = makeCapistrano(fleet, 3)
      const [host] = fleet.hosts
      if (!host) throw new Error('no host')
      app = host.app
    })
    afterAll(() => fleet[Symbol.asyncDispose]())

    const nameOf = (release: string): string => names.get(release) ?? release

    /** A commit, and a command that makes a release of it. */
    async function makes(
      release: string,
      code: number,
      command: () => ReturnType<Fleet['run']>,
    ): Promise<void> {
      const before = new Set(app.releases())
      commits.set(release, fleet.origin.commit({ 'app.txt': `${release}\n` }, release))
      const ended = await command()
      expect(ended, ended.output).toMatchObject({ code })
      const made = app.releases().filter((name) => !before.has(name))
      if (made.length > 0) names.set(release, made.join())
    }
    const capDeploys = (release: string): Promise<void> =>
      makes(release, 0, () => capistrano.run({}, 'deploy'))
    const weDeploy = (release: string): Promise<void> => makes(release, 0, () => fleet.run('deploy'))

    async function done(code: number, command: Promise<Awaited<ReturnType<Fleet['run']>>>): Promise<string> {
      const ended = await command
      expect(ended, ended.output).toMatchObject({ code })
      return ended.output
    }

    /** The whole layout. */
    function expectLayout({ releases, live, said, archives: added = [] }: Expected): void {
      archives.push(...added.map((release) => `rolled-back-release-${nameOf(release)}.tar.gz`))
      const own = existsSync(join(app.path, '.deployfile')) ? ['.deployfile'] : []
      expect(app.names('.')).toEqual(
        [...own, 'current', 'releases', 'repo', 'revisions.log', 'shared', ...archives].sort(),
      )
      if (own.length > 0) expect(app.names('.deployfile')).toEqual(['releases.jsonl'])
      expect(app.releases()).toEqual(releases.map(nameOf).sort())
      expect(app.current()).toBe(`${app.path}/releases/${nameOf(live)}`)
      for (const release of releases) {
        const path = join(app.path, 'releases', nameOf(release))
        if (!commits.has(release)) continue
        expect(app.read(`releases/${nameOf(release)}/REVISION`)).toBe(`${commits.get(release) ?? ''}\n`)
        expect(app.read(`releases/${nameOf(release)}/app.txt`)).toBe(`${release}\n`)
        expect(readlinkSync(join(path, 'log'))).toBe(`${app.path}/shared/log`)
        expect(readlinkSync(join(path, 'tmp/pids'))).toBe(`${app.path}/shared/tmp/pids`)
      }
      const log = app.lines('revisions.log')
      if (said !== undefined) {
        lines++
        expect(log.at(-1)).toBe(said)
      }
      expect(log).toHaveLength(lines)
      expect(app.git('config', 'remote.origin.url')).toBe(fleet.origin.repository)
      expect(app.names('shared')).toEqual(['log', 'tmp'])
    }
    const deployedBy = (user: string, release: string): string =>
      `Branch master (at ${commits.get(release) ?? ''}) deployed as release ${nameOf(release)} by ${user}`

    test('cap deploy, deployfile deploy, cap deploy', async () => {
      await capDeploys('one')
      expectLayout({ releases: ['one'], live: 'one', said: deployedBy('capper', 'one') })
      await weDeploy('two')
      expectLayout({ releases: ['one', 'two'], live: 'two', said: deployedBy('Developer', 'two') })
      await capDeploys('three')
      expectLayout({ releases: ['one', 'two', 'three'], live: 'three', said: deployedBy('capper', 'three') })
    })

    test('cap deploy:rollback goes to the release of deployfile, and deploy:rollback from there to that of cap', async () => {
      await done(0, capistrano.run({}, 'deploy:rollback'))
      expectLayout({
        ...{ releases: ['one', 'two'], live: 'two', archives: ['three'] },
        said: `capper rolled back to release ${nameOf('two')}`,
      })
      await done(0, fleet.run('deploy:rollback'))
      expectLayout({
        ...{ releases: ['one'], live: 'one', archives: ['two'] },
        said: `Developer rolled back to release ${nameOf('one')}`,
      })
    })

    test('a deploy of deployfile that fails leaves nothing, one of cap leaves a release that deployfile removes', async () => {
      fleet.configure(`${OPTIONS}, restart: 'exit 3'`)
      await makes('failed', 1, () => fleet.run('deploy'))
      fleet.configure(OPTIONS)
      expectLayout({ releases: ['one'], live: 'one' })
      await makes('stray', 1, () => capistrano.run({ FAIL: '1' }, 'deploy'))
      expectLayout({ releases: ['one', 'stray'], live: 'one' })
      expect(await done(3, fleet.run('deploy:rollback'))).toContain('there is no release before')
      expectLayout({ releases: ['one', 'stray'], live: 'one' })
      await weDeploy('four')
      expectLayout({
        releases: ['one', 'four'],
        live: 'four',
        said: deployedBy('Developer', 'four'),
      })
      await done(0, fleet.run('deploy:rollback'))
      expectLayout({
        ...{ releases: ['one'], live: 'one', archives: ['four'] },
        said: `Developer rolled back to release ${nameOf('one')}`,
      })
    })

    test('a stale releases/current is no trap, and stray folders are neither good releases nor lost', async () => {
      await capDeploys('five')
      expectLayout({ releases: ['one', 'five'], live: 'five', said: deployedBy('capper', 'five') })
      mkdirSync(join(app.path, 'releases/notes'))
      mkdirSync(join(app.path, 'releases/20200101000000'))
      symlinkSync(join(app.path, 'releases', nameOf('one')), join(app.path, 'releases/current'))
      await weDeploy('six')
      // Older than all that is kept: it counts for nothing and is removed. What has another name is nobody's release.
      expectLayout({
        ...{ releases: ['notes', 'one', 'five', 'six'], live: 'six', said: deployedBy('Developer', 'six') },
      })
    })

    test('cleanup by both keeps the same three', async () => {
      await capDeploys('seven')
      const kept = ['notes', 'five', 'six', 'seven']
      expectLayout({ releases: kept, live: 'seven', said: deployedBy('capper', 'seven') })
      await done(0, fleet.run('deploy:cleanup'))
      await done(0, capistrano.run({}, 'deploy:cleanup'))
      expectLayout({ releases: kept, live: 'seven' })
      await weDeploy('eight')
      expectLayout({
        ...{ releases: ['notes', 'six', 'seven', 'eight'], live: 'eight' },
        said: deployedBy('Developer', 'eight'),
      })
    })

    test('and back again: deployfile, then cap', async () => {
      rmdirSync(join(app.path, 'releases/notes'))
      await done(0, fleet.run('deploy:rollback'))
      expectLayout({
        ...{ releases: ['six', 'seven'], live: 'seven', archives: ['eight'] },
        said: `Developer rolled back to release ${nameOf('seven')}`,
      })
      await done(0, capistrano.run({}, 'deploy:rollback'))
      expectLayout({
        ...{ releases: ['six'], live: 'six', archives: ['seven'] },
        said: `capper rolled back to release ${nameOf('six')}`,
      })
      expect(readdirSync(fleet.hosts[0]?.tmp ?? '').filter((name) => !name.startsWith('git-ssh-'))).toEqual(
        [],
      )
    })
  },
)
