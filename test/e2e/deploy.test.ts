import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import { psql } from './database.ts'
import { startAppServer, type AppServer } from './app-server.ts'
import { startWorld, type World } from './world.ts'

describe.runIf(servicesFound('sshd', 'postgres'))('a project and its deployments', () => {
  // One story: each test goes on from where the one before ended, as a project's life does.
  let world: World
  let servers: readonly AppServer[]

  const linked = ['config/database.env', 'log', 'tmp/pids', 'public/system']
  // git archive writes modes for a umask of 002; tar keeps them for root and takes the umask off for everybody else.
  const umask = Number.parseInt(execFileSync('sh', ['-c', 'umask'], { encoding: 'utf8' }), 8)
  const archived = (mode: number): string => (process.getuid?.() === 0 ? mode : mode & ~umask).toString(8)
  const releaseOf = (link: string | undefined): string => link?.split('/').at(-1) ?? 'none'

  beforeAll(async () => {
    world = await startWorld({ databases: ['production', 'staging'] })
    servers = await Promise.all(world.hosts.map((host) => startAppServer(host.deployment('production').path)))
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    await world.stop()
  })

  test('deploy:migrations builds the layout of Capistrano on both hosts, from master', async () => {
    const ended = await world.deployfile('production', 'deploy:migrations', '--yes')
    expect(ended, ended.output).toMatchObject({ code: 0 })

    const revision = world.origin.revision('master')
    const names = new Set<string>()
    for (const host of world.hosts) {
      const app = host.deployment('production')
      const current = app.current()
      const name = releaseOf(current)
      names.add(name)
      expect(name).toMatch(/^\d{14}$/)
      // Absolute, and exactly as configured: Capistrano compares the text of the link.
      expect(current).toBe(`${app.path}/releases/${name}`)
      expect(app.releases()).toEqual([name])
      expect(app.names('.')).toEqual([
        '.deployfile',
        'current',
        'releases',
        'repo',
        'revisions.log',
        'shared',
      ])
      expect(app.names('.deployfile')).toEqual(['releases.jsonl'])

      expect(app.read('current/REVISION')).toBe(`${revision}\n`)
      expect(app.lines('revisions.log')).toEqual([
        `Branch master (at ${revision}) deployed as release ${name} by Developer`,
      ])
      const links = linked.map((path) => `${path} -> ${app.path}/shared/${path}`)
      const own = ['REVISION', 'REVISION_TIME', 'tmp/restart.txt']
      expect(app.tree(`releases/${name}`)).toEqual([...world.filesOf(revision), ...links, ...own].sort())
      for (const path of linked) expect(existsSync(join(app.path, 'shared', path)), path).toBe(true)

      expect(app.mode(`releases/${name}/bin/rake`)).toBe(archived(0o775))
      expect(app.mode(`releases/${name}/app.mjs`)).toBe(archived(0o664))
      expect(app.git('config', 'remote.origin.url')).toBe(world.origin.repository)
      expect(app.git('rev-parse', '--is-bare-repository')).toBe('true')
      expect(app.git('rev-parse', 'refs/heads/staging')).toBe(world.origin.revision('staging'))
    }
    expect([...names]).toHaveLength(1)
  })

  test('it has migrated the database, once', () => {
    expect(
      psql(world.databases.production, 'select version from schema_migrations order by 1').split('\n'),
    ).toEqual(['20260105091500', '20260112140000'])
  })

  test('both hosts serve that release from one database', async () => {
    for (const server of servers) {
      expect(await server.status()).toMatchObject({
        revision: world.origin.revision('master'),
        version: '1.0.0',
        rows: { disasters: 0, reports: 0 },
      })
    }
  })

  test('deploy of staging takes the branch staging and does not migrate', async () => {
    const revision = world.origin.commit({ 'public/index.html': '<h1>Staging</h1>\n' }, 'Staging', 'staging')
    const before = world.hosts.map((host) => host.deployment('production').current())

    const ended = await world.deployfile('staging', 'deploy')
    expect(ended, ended.output).toMatchObject({ code: 0 })

    const [host] = world.hosts
    const app = host.deployment('staging')
    expect(app.read('current/REVISION')).toBe(`${revision}\n`)
    expect(app.read('current/public/index.html')).toBe('<h1>Staging</h1>\n')
    expect(psql(world.databases.staging, "select count(*) from pg_tables where schemaname = 'public'")).toBe(
      '0',
    )
    expect(world.hosts.map((host) => host.deployment('production').current())).toEqual(before)
  })

  test('a second deploy is a second release, restarted on both hosts', async () => {
    const before = world.hosts.map((host) => releaseOf(host.deployment('production').current()))
    const revision = world.origin.commit({ 'package.json': '{ "version": "1.1.0", "type": "module" }\n' })

    const ended = await world.deployfile('production', 'deploy', '--yes')
    expect(ended, ended.output).toMatchObject({ code: 0 })

    for (const [index, host] of world.hosts.entries()) {
      const app = host.deployment('production')
      expect(app.releases()).toEqual([before[index], releaseOf(app.current())])
      expect(app.lines('revisions.log')).toHaveLength(2)
    }
    for (const server of servers) expect(await server.status()).toMatchObject({ version: '1.1.0', revision })
  })

  test('deploy:restart restarts what runs, on both hosts', async () => {
    const restarted = (): readonly number[] =>
      world.hosts.map(
        (host) => statSync(join(host.deployment('production').path, 'current/tmp/restart.txt')).mtimeMs,
      )
    const before = restarted()
    const links = world.hosts.map((host) => host.deployment('production').current())

    const ended = await world.deployfile('production', 'deploy:restart', '--yes')
    expect(ended, ended.output).toMatchObject({ code: 0 })

    for (const [index, time] of restarted().entries()) expect(time).toBeGreaterThan(before[index] ?? Infinity)
    expect(world.hosts.map((host) => host.deployment('production').current())).toEqual(links)
  })

  test('deploy:rollback goes back to the first release on both hosts, restarts it, and packs the second', async () => {
    const second = world.hosts.map((host) => releaseOf(host.deployment('production').current()))
    const ended = await world.deployfile('production', 'deploy:rollback', '--yes')
    expect(ended, ended.output).toMatchObject({ code: 0 })

    for (const [index, host] of world.hosts.entries()) {
      const app = host.deployment('production')
      expect(app.releases()).toHaveLength(1)
      expect(app.names('.')).toContain(`rolled-back-release-${second[index] ?? ''}.tar.gz`)
      expect(app.current()).toBe(`${app.path}/releases/${app.releases()[0] ?? ''}`)
      expect(app.lines('revisions.log').at(-1)).toBe(
        `Developer rolled back to release ${app.releases()[0] ?? ''}`,
      )
    }
    for (const server of servers) expect(await server.status()).toMatchObject({ version: '1.0.0' })
  })

  test('a rollback from the oldest good release is refused', async () => {
    const before = world.state()

    const ended = await world.deployfile('production', 'deploy:rollback', '--yes')

    expect(ended, ended.output).toMatchObject({ code: 3 })
    expect(ended.stderr).toContain('there is no release before')
    expect(ended.stderr).toContain('web1 has none; db1 has none')
    expect(world.state()).toEqual(before)
  })

  test('a protected stage asks, and without a terminal says what to add', async () => {
    const before = world.state()

    const ended = await world.deployfile('production', 'deploy')

    expect(ended, ended.output).toMatchObject({ code: 3 })
    expect(ended.stderr).toContain('--yes')
    expect(world.state()).toEqual(before)
  })
})
