import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import { contents, psql } from './database.ts'
import { startWorld, type World } from './world.ts'

/** One hash of all names, modes, times, links and contents below a folder. */
function hashOf(folder: string): string {
  const hash = createHash('sha256')
  const add = (path: string): void => {
    const { mode, mtimeMs } = lstatSync(path)
    hash.update(`${path} ${String(mode)} ${String(mtimeMs)}\n`)
    const kind = lstatSync(path)
    if (kind.isSymbolicLink()) hash.update(readlinkSync(path))
    else if (kind.isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name))
    else if (kind.isFile()) hash.update(readFileSync(path))
  }
  add(folder)
  return hash.digest('hex')
}

describe.runIf(servicesFound('sshd', 'postgres'))('a dry run against real hosts', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ databases: ['production', 'staging'] })
  })
  afterAll(() => world.stop())

  const paths = (): readonly string[] => world.hosts.map((host) => host.deployment('production').path)
  const hashes = (): readonly string[] => paths().map(hashOf)

  test('of a first deploy and of the next one prints what they would do, and changes nothing', async () => {
    for (const first of [true, false]) {
      if (!first) {
        const real = await world.deployfile('production', 'deploy', '--yes')
        expect(real, real.output).toMatchObject({ code: 0 })
      }
      const before = hashes()
      const dry = await world.deployfile('production', 'deploy:migrations', '-n')
      expect(dry, dry.output).toMatchObject({ code: 0, stderr: '' })
      expect(hashes()).toEqual(before)
      const revision = world.origin.revision('master')
      const name = /the release is (\d{14})/.exec(dry.stdout)?.[1] ?? 'none'
      expect(dry.stdout).toContain('dry run: nothing is changed')
      expect(dry.stdout).toContain(`master is ${revision}; the release is ${name}`)
      for (const path of paths()) {
        const release = `${path}/releases/${name}`
        for (const command of [
          `git -C '${path}/repo' archive '${revision}' | tar -x -f - -C '${release}'`,
          `ln -s '${path}/shared/log' '${release}/log'`,
          `ln -sfn ${release} ${path}/current`,
          `deployed as release ${name} by Developer`,
        ])
          expect(dry.stdout).toContain(command)
        expect(dry.stdout.includes(`git clone --mirror -- `)).toBe(first)
      }
      expect(dry.stdout).toMatch(new RegExp(`would: cd \\S+/releases/${name} && sh -e -c `))
      expect(dry.stdout).not.toContain('no preview')
    }
  })

  test('of a rollback to a release that is not there fails as the rollback would', async () => {
    const before = hashes()
    const dry = await world.deployfile('production', 'deploy:rollback', '--dry-run')
    expect(dry, dry.output).toMatchObject({ code: 3 })
    expect(dry.stderr).toContain('there is no release before')
    expect(dry.stderr).toContain('Nothing was changed: it was a dry run.')
    expect(hashes()).toEqual(before)
  })

  test('of a restore from production says from where to where with sizes, and asks nothing', async () => {
    // A restore would put another database under the name.
    const of = (): string => psql(world.databases.staging, 'select oid from pg_database order by oid')
    const before = [of(), contents(world.databases.staging), hashes()]
    const dry = await world.deployfile('staging', 'db:backup:restore_from_prod', '-n')
    expect(dry, dry.output).toMatchObject({ code: 0, stderr: '' })
    expect(dry.stdout).toMatch(
      /would dump \S+ of production \([\d.]+ \w+ on the server\) to \S+\.pgdump on \S+/,
    )
    expect(dry.stdout).toMatch(
      /would restore production's \S+ \([\d.]+ \w+\) onto \S+ on \S+ \([\d.]+ \w+ on the server now\)/,
    )
    expect([of(), contents(world.databases.staging), hashes()]).toEqual(before)
  })

  test('leaves no run behind that could be resumed', async () => {
    const { stdout } = await world.deployfile('production', 'deploy:check', '-n')
    expect(stdout).toContain('done after')
    const runs = readdirSync(join(world.project, '.deployfile/runs'))
    // The one real deploy.
    expect(runs).toHaveLength(1)
  })
})
