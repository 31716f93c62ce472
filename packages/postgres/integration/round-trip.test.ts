import { statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackup, listBackups, newStamp, readBackup, restoreBackup } from '@deployfile/postgres'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere, identityOf, testSite, type SiteOptions } from './site.ts'

const label = { application: 'app', stage: 'production' }
const noQuestion = (): Promise<void> => Promise.reject(new Error('nobody should be asked'))
const yes = (): Promise<void> => Promise.resolve()

describe.runIf(servicesFound('postgres'))('a backup and its restore', () => {
  let server: PostgresServer
  let folder: TempFolder
  beforeAll(async () => {
    server = await startPostgres({ auth: 'scram' })
    folder = tempFolder('round-trip')
    await makeSample(server, 'app_production')
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  const siteOf = (database: string, as: 'local' | 'ssh' = 'local', options: Partial<SiteOptions> = {}) =>
    testSite({ url: server.url(database), password: server.password!, root: folder.path, as, ...options })

  for (const as of ['local', 'ssh'] as const) {
    const kind = as === 'local' ? 'the package pg-dump-restore' : 'the client programs by argv'

    it(`brings every object and row back, by ${kind}`, async () => {
      const source = siteOf('app_production', as)
      const backup = await createBackup(source, label, newStamp())
      expect(backup.tables).toBe(6)
      expect(backup.extensions).toEqual(['hstore'])
      expect(backup.identity).toEqual(await identityOf(server, 'app_production'))
      expect(source.logs.join('\n')).toMatch(
        /^dumping app_production: .* on the server, about .* as a file \(estimated\)\ndumped app_production in \d+(\.\d)? s: \d.* kB, 6 tables, sha256 [0-9a-f]{64}$/,
      )
      expect(statSync(backup.file).mode & 0o777).toBe(0o600)
      expect(statSync(`${backup.file}.json`).mode & 0o777).toBe(0o600)
      expect(statSync(source.folder).mode & 0o777).toBe(0o700)

      const target = `app_dev_${as}`
      const site = siteOf(target, as)
      const found = await readBackup(site.shell, backup.file)
      const order = { backup: found!, stage: 'dev', production: elsewhere, stamp: newStamp() }
      const result = await restoreBackup(site, { ...order, confirm: as === 'local' ? noQuestion : yes })
      expect(result.tables).toBe(6)
      await server.psql("UPDATE ar_internal_metadata SET value = 'production'", target)
      expect(await contentOf(server, target)).toBe(await contentOf(server, 'app_production'))
      // Nothing else is left on the server.
      const names = await server.psql("SELECT datname FROM pg_database WHERE datname ~ '_(restore|old)_'")
      expect(names).toBe('')
      expect([...site.commands, ...source.commands].join('\n')).not.toContain(server.password)
    })
  }

  it('lists what is whole, newest first', async () => {
    const site = siteOf('app_production')
    const { done, incomplete } = await listBackups(site.shell, site.folder)
    expect(done).toHaveLength(2)
    expect(done[0]!.createdAt > done[1]!.createdAt).toBe(true)
    expect(incomplete).toEqual([])
  })

  it('keeps what belongs to the database and not to its content', async () => {
    await server.psql(`CREATE ROLE "app owner" LOGIN; CREATE ROLE reader;`)
    await server.psql(`CREATE DATABASE app_staging OWNER "app owner" CONNECTION LIMIT 17`)
    await server.psql(`
      REVOKE ALL ON DATABASE app_staging FROM PUBLIC; GRANT CONNECT ON DATABASE app_staging TO reader WITH GRANT OPTION;
      ALTER DATABASE app_staging SET search_path TO "$user", public, "odd, name";
      ALTER DATABASE app_staging SET work_mem TO '7MB'; ALTER DATABASE app_staging SET my.setting TO 'it''s \\ here';
      ALTER ROLE reader IN DATABASE app_staging SET statement_timeout TO '5s';
      COMMENT ON DATABASE app_staging IS 'ours, isn''t it'; ALTER DATABASE app_staging IS_TEMPLATE true; CREATE TABLE gone ();`)
    const facts = `SELECT pg_get_userbyid(datdba), datconnlimit, datacl, datcollate, datctype, encoding, datallowconn, datistemplate,
      shobj_description(oid, 'pg_database'), (SELECT array_agg(x ORDER BY x) FROM pg_db_role_setting s, unnest(setconfig) x
      WHERE s.setdatabase = d.oid) FROM pg_database d WHERE datname = 'app_staging'`
    const before = await server.psql(facts)
    const site = siteOf('app_staging')
    const [newest] = (await listBackups(site.shell, site.folder)).done
    await restoreBackup(site, {
      backup: { file: newest!.file, manifest: newest },
      ...{ stage: 'staging', production: elsewhere, stamp: newStamp(), confirm: noQuestion },
    })
    expect(await server.psql(facts)).toBe(before)
    expect(before).toContain('17|{')
    expect(site.logs.join('\n')).not.toContain('warning')
    expect(await server.psql("SELECT datname FROM pg_database WHERE datname ~ '^app_staging_'")).toBe('')
    // Owned by the one who will use it, not by the one who restored it.
    expect(
      await server.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'books'", 'app_staging'),
    ).toBe('app owner')
    expect(await server.psql('SELECT value FROM public.ar_internal_metadata', 'app_staging')).toBe('staging')
    expect(
      await server.psql("SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'books'", 'app_staging'),
    ).toBe('t')
  })

  it('takes names that are made to deceive', async () => {
    const database = `it's "odd"?host=evil&x=1 dbname=y`
    await makeSample(server, database)
    await server.psql(`CREATE ROLE "u@x/y:z" LOGIN SUPERUSER PASSWORD 'p:w\\d'`)
    const url = `postgresql://${encodeURIComponent('u@x/y:z')}:${encodeURIComponent('p:w\\d')}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`
    const site = testSite({ url, root: folder.path })
    const backup = await createBackup(site, label, newStamp())
    await server.psql('DROP TABLE books CASCADE', database)
    await restoreBackup(site, {
      backup: { file: backup.file, manifest: backup },
      ...{ stage: 'dev', production: elsewhere, stamp: newStamp(), confirm: noQuestion },
    })
    expect(await server.psql('SELECT count(*) FROM books', database)).toBe('500')
  })

  it('ends sessions that are connected and keep coming back', async () => {
    await server.psql('CREATE DATABASE busy')
    let stop = false
    const client = async (): Promise<void> => {
      while (!stop) await server.psql('SELECT pg_sleep(0.2)', 'busy').catch(() => undefined)
    }
    // One that would stay for good, and is surely there when the database is closed.
    const ended = server.psql('SELECT pg_sleep(600)', 'busy').then(
      () => 'left alone',
      () => 'ended',
    )
    const there = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'busy' AND query LIKE '%(600)%'"
    await expect.poll(() => server.psql(there), { timeout: 20_000 }).toBe('1')
    const clients = [client(), client(), client()]
    const site = siteOf('busy')
    const [newest] = (await listBackups(site.shell, site.folder)).done
    await restoreBackup(site, {
      backup: { file: newest!.file, manifest: newest },
      ...{ stage: 'dev', production: elsewhere, stamp: newStamp(), confirm: noQuestion },
    })
    stop = true
    await Promise.all(clients)
    expect(await ended).toBe('ended')
    expect(await server.psql('SELECT count(*) FROM books', 'busy')).toBe('500')
  })
})
