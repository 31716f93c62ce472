import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createBackup, newStamp, restoreBackup, type Backup } from '@deployfile/postgres'
import { findServer, NEWEST } from '../../../scripts/services/servers.mjs'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { findService, servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere, testSite, type TestSite } from './site.ts'

// Servers of several major versions against the client programs of this machine's distribution. `npm run test:versions` tries all.

const label = { application: 'app', stage: 'production' }
const majors = (process.env['DEPLOYFILE_TEST_VERSIONS'] ?? NEWEST).split(' ')
const client = findService('postgres')
const clientMajor = client === undefined ? 0 : majorOf(join(client, 'pg_dump'))

/** Whether there are files of this server; said loudly, as for what a distribution brings. */
function serverFound(major: string): boolean {
  if (findServer(major) !== undefined) return true
  const text = `PostgreSQL ${major} has not been fetched: npm ${major === NEWEST ? 'test' : 'run test:versions'} does`
  if (process.env['CI'] === 'true') throw new Error(`CI=true, and ${text}`)
  console.warn(`SKIPPED: ${text}`)
  return false
}

for (const major of majors) {
  describe.runIf(servicesFound('postgres') && serverFound(major))(`PostgreSQL ${major}`, () => {
    const tooNew = Number(major) > clientMajor
    let server: PostgresServer
    let folder: TempFolder
    beforeAll(async () => {
      folder = tempFolder('versions')
      server = await startPostgres({ files: findServer(major) ?? '' })
      if (tooNew) await server.psql('CREATE DATABASE app_production')
      else await makeSample(server, 'app_production')
      await server.psql('CREATE DATABASE app_dev')
      await server.psql('CREATE TABLE mine AS SELECT 1 AS one', 'app_dev')
    })
    afterAll(async () => {
      await server.stop()
      await folder.remove()
    })
    const siteOf = (database: string, as: 'local' | 'ssh'): TestSite =>
      testSite({ url: server.url(database), root: folder.path, as })
    const backups = (): readonly string[] => {
      const path = join(folder.path, '.deployfile/backups')
      return existsSync(path) ? readdirSync(path) : []
    }
    const restore = (site: TestSite, backup: Pick<Backup, 'file'> & { readonly manifest?: Backup }) =>
      restoreBackup(site, {
        ...{ backup: { file: backup.file, manifest: backup.manifest }, stage: 'dev', production: elsewhere },
        ...{ stamp: newStamp(), confirm: () => Promise.resolve() },
      })

    const roundTrip = async (): Promise<void> => {
      for (const as of ['local', 'ssh'] as const) {
        const made = await createBackup(siteOf('app_production', as), label, newStamp())
        expect(made.serverVersion).toMatch(new RegExp(`^${major}\\.`))
        await restore(siteOf('app_dev', as), { file: made.file, manifest: made })
        await server.psql("UPDATE ar_internal_metadata SET value = 'production'", 'app_dev')
        expect(await contentOf(server, 'app_dev')).toBe(await contentOf(server, 'app_production'))
      }
    }

    const refusal = async (): Promise<void> => {
      const tooOld = {
        kind: 'check',
        code: 'PG_CLIENT_TOO_OLD',
        message: expect.stringMatching(
          new RegExp(
            `PostgreSQL ${major}\\.\\d+, and db1 has client programs only of version ${clientMajor}\\.`,
          ),
        ) as string,
        details: { host: 'db1', hint: expect.stringContaining(`postgresql-client-${major}`) as string },
      }
      const file = join(folder.path, 'some.pgdump')
      writeFileSync(file, 'never read')
      for (const as of ['local', 'ssh'] as const) {
        await expect(createBackup(siteOf('app_production', as), label, newStamp())).rejects.toMatchObject(
          tooOld,
        )
        await expect(restore(siteOf('app_dev', as), { file })).rejects.toMatchObject(tooOld)
      }
      expect(backups()).toEqual([])
      expect(await server.psql('SELECT one FROM mine', 'app_dev')).toBe('1')
      expect(await server.psql("SELECT count(*) FROM pg_database WHERE datname ~ '_(restore|old)_'")).toBe(
        '0',
      )
    }

    if (tooNew) it('refuses, says what to install, and touches nothing', refusal)
    else it('makes the round trip', roundTrip)

    it('takes the programs of its own version, of all that are installed', async () => {
      const log = join(folder.path, 'called')
      const installed = ['14', major, '96'].map((version) =>
        versionFolder(folder.path, version, server.bin, log),
      )
      vi.stubEnv('PATH', [...installed, process.env['PATH'] ?? ''].join(delimiter))
      try {
        const made = createBackup(siteOf('app_production', 'ssh'), label, newStamp())
        // The programs are the distribution's all the same.
        if (!tooNew) expect((await made).clientVersion).toBe(`${major}.77`)
        else await expect(made).rejects.toThrow('pg_dump failed on db1')
        expect(backups().filter((name) => name.endsWith('.part'))).toEqual([])
      } finally {
        vi.unstubAllEnvs()
      }
      const called = readFileSync(log, 'utf8').split('\n')
      expect(called).toContain(join(folder.path, major, 'bin/pg_dump'))
      expect(called).not.toContain(join(folder.path, '14/bin/pg_dump'))
      expect(called).not.toContain(join(folder.path, '96/bin/pg_dump'))
    })
  })
}

/** A folder as a distribution has for each version, with programs that say which they are and note when they are used. */
function versionFolder(root: string, version: string, real: string, log: string): string {
  const bin = join(root, version, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const name of ['psql', 'pg_dump', 'pg_restore']) {
    const text = `#!/bin/sh
if [ "$1" = --version ]; then echo "${name} (PostgreSQL) ${version}.77"; exit; fi
echo "$0" >>'${log}'
exec '${join(real, name)}' "$@"
`
    writeFileSync(join(bin, name), text, { mode: 0o755 })
  }
  return bin
}

function majorOf(program: string): number {
  const told = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return Number(/\(PostgreSQL\) (\d+)/.exec(told)?.[1])
}
