import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  createBackup,
  listBackups,
  newStamp,
  pruneBackups,
  readBackup,
  restoreBackup,
  verifyBackup,
  type Backup,
  type RestoreChoices,
  type RestoreResult,
} from '@deployfile/postgres'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere, testSite, type TestSite } from './site.ts'

const label = { application: 'app', stage: 'production' }
const yes = (): Promise<void> => Promise.resolve()

describe.runIf(servicesFound('postgres'))('what can be chosen', { timeout: 120_000 }, () => {
  let server: PostgresServer
  let folder: TempFolder
  let backup: Backup
  beforeAll(async () => {
    server = await startPostgres()
    folder = tempFolder('choices')
    await makeSample(server, 'app_production')
    await server.psql('CREATE ROLE app LOGIN; CREATE ROLE maker LOGIN CREATEDB; GRANT app TO maker')
    backup = await createBackup(siteOf('app_production'), label, newStamp())
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  const siteOf = (database: string, user = 'postgres', as: 'local' | 'ssh' = 'local'): TestSite =>
    testSite({ url: server.url(database).replace('postgres@', `${user}@`), root: folder.path, as })
  const restore = (site: TestSite, choices?: RestoreChoices, made: Backup = backup): Promise<RestoreResult> =>
    restoreBackup(site, {
      ...{ backup: { file: made.file, manifest: made }, stage: 'dev', production: elsewhere },
      ...{ stamp: newStamp(), confirm: yes, ...(choices && { choices }) },
    })
  const ours = (database: string) =>
    server.psql(`SELECT datname FROM pg_database WHERE datname ~ '^${database}_(restore|old)_' ORDER BY 1`)

  it('keeps what was live before, open, as many times as is said, and drops the oldest', async () => {
    await server.psql('CREATE DATABASE kept')
    const names: string[] = []
    for (const number of [1, 2]) {
      await server.psql(`CREATE TABLE generation AS SELECT ${number} AS number`, 'kept')
      const { kept } = await restore(siteOf('kept'), { keepOld: 1 })
      names.push(kept ?? 'none')
    }
    expect((await ours('kept')).split('\n')).toEqual(names.slice(1))
    expect(await server.psql('SELECT number FROM generation', names[1])).toBe('2')
    // One on a host, none here, when nothing is said.
    expect((await restore(siteOf('kept', 'postgres', 'ssh'))).kept).toMatch(/^kept_old_/)
    expect(await ours('kept')).toMatch(/^kept_old_[^\n]*$/)
    expect((await restore(siteOf('kept'))).kept).toBeUndefined()
    expect(await ours('kept')).toBe('')
  })

  it('anonymizes before anybody can see the database, materialized views and statistics included', async () => {
    await server.psql('CREATE DATABASE masked OWNER app')
    await server.psql('CREATE TABLE log AS SELECT 1 AS one', 'masked')
    const site = siteOf('masked', 'maker')
    await restore(site, {
      anonymize: ["UPDATE authors SET name = 'nobody ' || id; DELETE FROM books WHERE author_id > 1;"],
      postRestore: ["CREATE TABLE after_all AS SELECT count(*) FROM authors WHERE name !~ '^nobody'"],
    })
    expect(await server.psql('SELECT * FROM counts', 'masked')).toBe('1|25')
    expect(await server.psql('SELECT count FROM after_all', 'masked')).toBe('0')
    expect(
      await server.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'after_all'", 'masked'),
    ).toBe('app')
    expect(
      await server.psql(
        "SELECT count(*) FROM pg_stats WHERE tablename = 'authors' AND histogram_bounds::text ~ 'author'",
        'masked',
      ),
    ).toBe('0')
    expect(await server.psql('SELECT value FROM ar_internal_metadata', 'masked')).toBe('development')
  })

  it('leaves the live database alone when the SQL of the project fails', async () => {
    await server.psql('CREATE DATABASE failing')
    await server.psql('CREATE TABLE mine AS SELECT 1 AS one', 'failing')
    for (const choices of [
      { anonymize: ['UPDATE nothing SET x = 1'] },
      { postRestore: ['SELECT 1; SELEC 2'] },
    ]) {
      await expect(restore(siteOf('failing'), choices)).rejects.toMatchObject({
        code: 'DATABASE_COMMAND_FAILED',
      })
      expect(await server.psql('SELECT one FROM mine', 'failing')).toBe('1')
      expect(await ours('failing')).toBe('')
    }
  })

  describe('where the login may make no database', () => {
    beforeAll(async () => {
      await server.psql('CREATE DATABASE narrow OWNER app')
      await server.psql('CREATE EXTENSION hstore', 'narrow')
      await server.psql(
        'CREATE TABLE mine AS SELECT 1 AS one; ALTER TABLE mine OWNER TO app; CREATE VIEW looks AS SELECT * FROM mine; ALTER VIEW looks OWNER TO app',
        'narrow',
      )
    })

    for (const as of ['local', 'ssh'] as const) {
      it(`everything is replaced in one transaction, after a backup (${as})`, async () => {
        const site = siteOf('narrow', 'app', as)
        const { strategy, safety } = await restore(site)
        expect(strategy).toBe('in-place')
        expect(await server.psql('SELECT count(*) FROM books', 'narrow')).toBe('500')
        // Twice is no different: what is there is replaced, not added to.
        await restore(site)
        expect(await server.psql('SELECT count(*) FROM books', 'narrow')).toBe('500')
        expect(site.logs.join('\n')).toContain('narrow still has what the backup does not: public mine')
        expect((await readBackup(site.shell, safety ?? ''))?.manifest).toMatchObject({
          stage: 'dev',
          database: 'narrow',
        })
      })
    }

    it('nothing is replaced when one thing cannot be', async () => {
      await server.psql(
        'CREATE VIEW depends AS SELECT name FROM authors; ALTER VIEW depends OWNER TO app',
        'narrow',
      )
      const before = await contentOf(server, 'narrow')
      await expect(restore(siteOf('narrow', 'app'))).rejects.toMatchObject({
        code: 'DATABASE_COMMAND_FAILED',
      })
      expect(await contentOf(server, 'narrow')).toBe(before)
      await server.psql('DROP VIEW depends', 'narrow')
    })

    it('nothing that must be anonymized is restored in sight of everybody', async () => {
      const before = await contentOf(server, 'narrow')
      await expect(restore(siteOf('narrow', 'app'), { anonymize: ['SELECT 1'] })).rejects.toMatchObject({
        code: 'RESTORE_IN_PLACE',
      })
      expect(await contentOf(server, 'narrow')).toBe(before)
    })
  })

  it('says what is missing before anything is done: rights, an extension, a database', async () => {
    await server.psql('CREATE DATABASE strange OWNER maker')
    await expect(restore(siteOf('strange', 'app'))).rejects.toMatchObject({
      kind: 'check',
      code: 'RESTORE_RIGHTS',
      message: 'app does not own the database strange, which belongs to maker',
    })
    await expect(restore(siteOf('never_made', 'app'))).rejects.toMatchObject({
      message: 'there is no database never_made, and app may not make one',
    })
    const odd = { ...backup, extensions: ['hstore', 'postgis_of_somebody'] }
    await expect(restore(siteOf('strange', 'maker'), undefined, odd)).rejects.toMatchObject({
      code: 'EXTENSION_MISSING',
      message: 'the server of strange on db1 does not have the extension postgis_of_somebody',
    })
    const untrusted = { ...backup, extensions: ['hstore', 'pageinspect'] }
    await expect(restore(siteOf('strange', 'maker'), undefined, untrusted)).rejects.toMatchObject({
      code: 'EXTENSION_RIGHTS',
    })
    expect(await ours('strange')).toBe('')
  })

  for (const as of ['local', 'ssh'] as const) {
    it(`leaves out tables, rows or all rows, and says so in the manifest (${as})`, async () => {
      const site = siteOf('app_production', 'postgres', as)
      const some = await createBackup(site, label, newStamp(), {
        excludeTables: ['events*'],
        excludeTableData: ['books'],
        compress: 9,
      })
      expect(some).toMatchObject({
        compress: 'zlib:9',
        excluded: { tables: ['events*'], data: ['books'], rows: false },
      })
      const target = `part_${as}`
      await restore(siteOf(target, 'postgres', as), undefined, some)
      expect(await server.psql('SELECT count(*) FROM books', target)).toBe('0')
      expect(await server.psql('SELECT count(*) FROM authors', target)).toBe('20')
      expect(await server.psql("SELECT to_regclass('events') IS NULL", target)).toBe('t')
      const empty = await createBackup(site, label, newStamp(), { schemaOnly: true })
      await restore(siteOf(target, 'postgres', as), undefined, empty)
      expect(await server.psql('SELECT count(*) FROM authors', target)).toBe('0')
    })
  }

  for (const as of ['local', 'ssh'] as const) {
    it(`restores as many tables at once as is said, else one a processor (${as})`, async () => {
      const [bin, log] = [join(folder.path, `bin_${as}`), join(folder.path, `called_${as}`)]
      mkdirSync(bin)
      for (const name of ['psql', 'pg_dump']) symlinkSync(join(server.bin, name), join(bin, name))
      const noting = `#!/bin/sh\necho "$@" >>'${log}'\nexec '${join(server.bin, 'pg_restore')}' "$@"\n`
      writeFileSync(join(bin, 'pg_restore'), noting, { mode: 0o755 })
      vi.stubEnv('PATH', [bin, process.env['PATH'] ?? ''].join(delimiter))
      try {
        for (const choices of [{ jobs: 3 }, {}]) await restore(siteOf(`jobs_${as}`, 'postgres', as), choices)
      } finally {
        vi.unstubAllEnvs()
      }
      const processors = Number(execFileSync('getconf', ['_NPROCESSORS_ONLN'], { encoding: 'utf8' }))
      expect(readFileSync(log, 'utf8').match(/(?<=--jobs=)\d+/g)).toEqual(['3', `${Math.min(4, processors)}`])
      expect(await server.psql('SELECT count(*) FROM books', `jobs_${as}`)).toBe('500')
    })
  }

  it('two restores of one database at once: one is done, the other is told to wait', async () => {
    await server.psql('CREATE DATABASE contended')
    const slow = { postRestore: ['SELECT pg_sleep(1)'] }
    const both = await Promise.allSettled([
      restore(siteOf('contended'), slow),
      restore(siteOf('contended'), slow),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject({
      kind: 'check',
      code: 'RESTORE_RUNNING',
    })
    expect(await server.psql('SELECT count(*) FROM books', 'contended')).toBe('500')
    expect(await ours('contended')).toBe('')
  })

  it('twenty backups at once are twenty files; prune leaves the newest that were asked for', async () => {
    await server.psql('CREATE DATABASE small')
    await server.psql('CREATE TABLE t AS SELECT 1 AS one', 'small')
    const root = join(folder.path, 'small')
    mkdirSync(root)
    const site = testSite({ url: server.url('small'), root })
    const stamps = Array.from({ length: 20 }, () => newStamp())
    const made = await Promise.all(stamps.map((stamp) => createBackup(site, label, stamp)))
    expect(new Set(made.map(({ file }) => file)).size).toBe(20)
    const of = async () =>
      (await listBackups(site.shell, site.folder)).done.filter(({ database }) => database === 'small')
    const newest = (await of()).slice(0, 3).map(({ file }) => file)

    const [old, young, mine, fetched, fetching] = ['old', 'young', 'mine', '.fetched', '.fetching'].map(
      (name) => join(site.folder, `${name}.pgdump`),
    ) as [string, string, string, string, string]
    const parts = [
      `${old}.part`,
      `${young}.part`,
      mine,
      `${fetched}.part.9-9.ab.1.part`,
      `${fetching}.part.part`,
    ]
    for (const file of parts) writeFileSync(file, 'half')
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600
    for (const file of [parts[0]!, mine, parts[3]!]) utimesSync(file, twoDaysAgo, twoDaysAgo)
    const all = readdirSync(site.folder)
    const dry = await pruneBackups(site, { keep: { last: 3 }, dryRun: true })
    expect(readdirSync(site.folder)).toEqual(all)
    const { removed } = await pruneBackups(site, { keep: { last: 3 } })
    expect(removed.map(({ file }) => file)).toEqual(dry.removed.map(({ file }) => file))
    expect((await of()).map(({ file }) => file)).toEqual(newest)
    // A broken-off dump or download goes after a day; what is younger may be at work, and an archive of somebody's own is not ours to
    // remove.
    expect(parts.map((file) => existsSync(file))).toEqual([false, true, true, false, true])
    execFileSync('rm', [parts[1]!, mine, parts[4]!])
  })

  it('proves a backup without a server: by its hash, or by reading every block', async () => {
    const site = siteOf('app_production')
    const found = (await readBackup(site.shell, backup.file))!
    expect(await verifyBackup(site, found)).toMatchObject({ deep: false, tables: 6, sha256: backup.sha256 })
    expect(await verifyBackup(site, found, { deep: true })).toMatchObject({ deep: true, tables: 6 })
    const alone = { file: backup.file, manifest: undefined }
    expect(await verifyBackup(site, alone)).toMatchObject({ deep: true })
    const lied = { ...found, manifest: { ...backup, sha256: '0'.repeat(64) } }
    await expect(verifyBackup(site, lied)).rejects.toMatchObject({ kind: 'check', code: 'BACKUP_DAMAGED' })
  })
})
