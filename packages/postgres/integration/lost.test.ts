import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createBackup,
  manifestPath,
  newStamp,
  openServer,
  openTarget,
  preflight,
  readSource,
  restoreBackup,
  type Backup,
} from '@deployfile/postgres'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere, testSite, type TestSite } from './site.ts'

const label = { application: 'app', stage: 'production' }
const yes = (): Promise<void> => Promise.resolve()

describe.runIf(servicesFound('postgres'))('what is lost on the way', { timeout: 120_000 }, () => {
  let server: PostgresServer
  let folder: TempFolder
  beforeAll(async () => {
    server = await startPostgres()
    folder = tempFolder('lost')
    await makeSample(server, 'app_production')
    await makeSample(server, 'app_dev')
    await server.psql("UPDATE authors SET name = 'mine' || id", 'app_dev')
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  const siteOf = (database: string, as: 'local' | 'ssh' = 'local', root = folder.path): TestSite =>
    testSite({ url: server.url(database), root, as })
  const restore = (site: TestSite, made: Backup) =>
    restoreBackup(site, {
      ...{ backup: { file: made.file, manifest: made }, stage: 'dev', production: elsewhere },
      ...{ stamp: newStamp(), confirm: yes },
    })

  for (const as of ['local', 'ssh'] as const) {
    it(`the connection in the middle of a restore: the live database is as it was (${as})`, async () => {
      await server.psql('DROP DATABASE IF EXISTS slow')
      await server.psql('CREATE DATABASE slow')
      // Where the role exists, a restored row waits in its check: a restore that is at work when the connection is cut.
      await server.psql(
        `CREATE FUNCTION waits() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
           IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'wait_here') THEN PERFORM pg_catalog.pg_sleep(600); END IF;
           RETURN true; END $$;
         CREATE TABLE orders (id int CHECK (waits())); INSERT INTO orders VALUES (1)`,
        'slow',
      )
      const made = await createBackup(siteOf('slow', as), label, newStamp())
      const before = await contentOf(server, 'app_dev')
      await server.psql('CREATE ROLE wait_here')
      const running = restore(siteOf('app_dev', as), made).then(
        () => new Error('it was restored'),
        (error: unknown) => error as Error,
      )
      const copying = "datname ~ '_restore_' AND query ~ '^COPY'"
      await expect
        .poll(() => server.psql(`SELECT count(*) FROM pg_stat_activity WHERE ${copying}`), {
          timeout: 20_000,
        })
        .not.toBe('0')
      await server.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${copying}`)
      const error = await running
      await server.psql('DROP ROLE wait_here')
      expect(error.message).toMatch(/^pg_restore failed on db1, database app_dev_restore_/)
      expect(error.message).toContain('terminating connection due to administrator command')
      expect(await contentOf(server, 'app_dev')).toBe(before)
      expect(await server.psql("SELECT datname FROM pg_database WHERE datname ~ '_(restore|old)_'")).toBe('')
    })

    it(`the room on the disk in the middle of a dump: nothing stays of it (${as})`, async () => {
      const root = join(folder.path, `full-${as}`)
      const programs = join(folder.path, `programs-${as}`)
      for (const path of [root, programs]) mkdirSync(path)
      for (const name of ['psql', 'pg_restore']) symlinkSync(join(server.bin, name), join(programs, name))
      // A file may not grow beyond 20 kB: pg_dump meets a failed write, as on a full disk.
      const text = `#!/bin/sh\ntrap '' XFSZ\nif [ "$1" != --version ]; then ulimit -f 40; fi\nexec ${server.bin}/pg_dump "$@"\n`
      writeFileSync(join(programs, 'pg_dump'), text)
      chmodSync(join(programs, 'pg_dump'), 0o755)
      const path = process.env.PATH
      process.env.PATH = `${programs}:${path ?? ''}`
      try {
        const site = siteOf('app_production', as, root)
        await expect(createBackup(site, label, newStamp())).rejects.toMatchObject({
          code: 'DATABASE_COMMAND_FAILED',
          message: expect.stringMatching(/could not write|File too large/) as string,
        })
        expect(readdirSync(site.folder)).toEqual([])
      } finally {
        process.env.PATH = path
      }
    })
  }

  it('the room, before anything is done: what the last backup took is not there any more', async () => {
    const root = join(folder.path, 'big')
    mkdirSync(root)
    const site = siteOf('app_production', 'local', root)
    const made = await createBackup(site, label, newStamp())
    // A terabyte that takes none.
    const bytes = 1e12
    truncateSync(made.file, bytes)
    writeFileSync(manifestPath(made.file), JSON.stringify({ ...made, bytes }))
    const error = await createBackup(site, label, newStamp()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      kind: 'check',
      code: 'DISK_FULL',
      message: expect.stringMatching(
        /^the backup of app_production needs about 1\.1 TB in .* on db1, where .* are free$/,
      ) as string,
    })
    expect(readdirSync(site.folder)).toHaveLength(2)
    expect(statSync(made.file).size).toBe(bytes)
  })

  it('the roles that own what is in it: it is all the target owner’s', async () => {
    for (const sql of ['CREATE ROLE gone', 'CREATE DATABASE owned']) await server.psql(sql)
    await server.psql(
      'CREATE TABLE theirs AS SELECT 1 AS one; ALTER TABLE theirs OWNER TO gone; GRANT SELECT ON theirs TO gone',
      'owned',
    )
    const made = await createBackup(siteOf('owned'), label, newStamp())
    await server.psql('DROP OWNED BY gone', 'owned')
    for (const sql of ['DROP ROLE gone', 'CREATE ROLE heir', 'CREATE DATABASE inherited OWNER heir'])
      await server.psql(sql)
    // Copies that were sent for a restore which never came back for them.
    const sent = ['upload_old', 'upload_new'].map((name) => join(siteOf('inherited').folder, name))
    for (const path of sent) mkdirSync(path)
    const before = new Date(Date.now() - 2 * 24 * 3600 * 1000)
    utimesSync(sent[0] ?? '', before, before)
    await restore(siteOf('inherited'), made)
    expect(sent.map((path) => existsSync(path))).toEqual([false, true])
    expect(
      await server.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'theirs'", 'inherited'),
    ).toBe('heir')
  })

  it('no rights of others, where it is the database’s own backup: but for those of roles that are gone, which is said', async () => {
    for (const sql of ['CREATE ROLE seer', 'CREATE ROLE writer', 'CREATE DATABASE granted'])
      await server.psql(sql)
    await server.psql(
      'CREATE TABLE open (id int); GRANT SELECT ON open TO seer; CREATE TABLE shut (id int); GRANT INSERT ON shut TO writer; ' +
        'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO seer',
      'granted',
    )
    const made = await createBackup(siteOf('granted'), { ...label, stage: 'dev' }, newStamp())
    await server.psql('DROP OWNED BY writer', 'granted')
    await server.psql('DROP ROLE writer')
    const rights = async (): Promise<string> => {
      await server.psql('CREATE TABLE later (id int)', 'granted')
      return server.psql(
        "SELECT string_agg(concat(relname, ' ', relacl), ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        'granted',
      )
    }
    const site = siteOf('granted')
    await restore(site, made)
    expect(site.logs).toContain(
      'warning: some objects are without the rights that others had on them: role "writer" does not exist',
    )
    const all = 'postgres=arwdDxt/postgres,seer=r/postgres'
    expect(await rights()).toBe(`later {${all}} open {${all}} shut`)
  })

  describe('what the owner of a database may not make', () => {
    let made: Backup
    beforeAll(async () => {
      const folder = join(server.socketDir, 'ssd')
      await server.psql(`COPY (SELECT 1) TO PROGRAM 'mkdir "${folder}"; cat >/dev/null'`)
      await server.psql(`CREATE TABLESPACE ssd LOCATION '${folder}'`)
      for (const sql of ['CREATE ROLE plain LOGIN CREATEDB', 'CREATE DATABASE special'])
        await server.psql(sql)
      for (const sql of [
        'CREATE TABLE fast TABLESPACE ssd AS SELECT 1 AS one; CREATE INDEX ON fast (one) TABLESPACE ssd',
        'CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION a_few FOR TABLE fast',
        'CREATE FUNCTION tells() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$',
        'CREATE EVENT TRIGGER watches ON ddl_command_end EXECUTE FUNCTION tells()',
        'CREATE SCHEMA "my own"; CREATE EXTENSION pg_stat_statements SCHEMA "my own"',
        'CREATE TABLE "my own".kept AS SELECT calls FROM "my own".pg_stat_statements LIMIT 0',
      ])
        await server.psql(sql, 'special')
      made = await createBackup(siteOf('special'), label, newStamp())
      await server.psql('DROP DATABASE special')
      await server.psql('DROP TABLESPACE ssd')
    })

    for (const as of ['local', 'ssh'] as const)
      it(`is left out, or made by a superuser who restores; tablespaces that are not there are no reason to fail (${as})`, async () => {
        await server.psql(`CREATE DATABASE ordinary_${as} OWNER plain`)
        const site = siteOf(`ordinary_${as}`, as)
        await restore(site, made)
        expect(site.logs).toContain(
          'left out, because only a superuser may make it: publication a_few, publication everything, event trigger watches',
        )
        const found =
          'SELECT (SELECT one FROM fast), (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_event_trigger), ' +
          "(SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname IN ('public', 'my own')), " +
          "(SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_stat_statements'), nspowner::regrole " +
          "FROM pg_namespace WHERE nspname = 'my own'"
        expect(await server.psql(found, `ordinary_${as}`)).toBe('1|0|0|plain|"my own"|plain')
      })

    it('is all there where the owner is a superuser', async () => {
      await server.psql('CREATE DATABASE super')
      const site = siteOf('super')
      await restore(site, made)
      expect(site.logs.join()).not.toContain('left out')
      const found = 'SELECT count(*), (SELECT count(*) FROM pg_event_trigger) FROM pg_publication'
      expect(await server.psql(found, 'super')).toBe('2|1')
    })
  })

  it('the roles of policies: it is said which are missing, before the dump', async () => {
    for (const sql of ['CREATE ROLE "the reader"', 'CREATE DATABASE guarded', 'CREATE DATABASE unguarded'])
      await server.psql(sql)
    await server.psql(
      'CREATE TABLE secrets (id int); ALTER TABLE secrets ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON secrets TO "the reader" USING (true)',
      'guarded',
    )
    const source = await openServer(siteOf('guarded'), { readOnly: true, databases: ['guarded'] })
    const facts = await readSource(source)
    const target = await openTarget(siteOf('unguarded'), 'dev')
    await preflight(target, facts)
    await server.psql('ALTER ROLE "the reader" RENAME TO elsewhere')
    await expect(preflight(target, facts)).rejects.toMatchObject({
      kind: 'check',
      code: 'ROLE_MISSING',
      message:
        'policies of the database are for the role the reader, which the server of unguarded on db1 does not have',
      details: { hint: 'Make them there: CREATE ROLE "the reader"; Nothing was changed.' },
    })
  })

  it('everything, when the database of the URL is the wrong one: an empty backup says so', async () => {
    await server.psql('CREATE DATABASE nothing')
    const site = siteOf('nothing')
    const { tables } = await createBackup(site, label, newStamp())
    expect(tables).toBe(0)
    expect(site.logs).toContain('warning: nothing has no tables, so this backup holds no data')
  })

  it('no secret, in no list of processes and no file that others may read', () => {
    const seen = execFileSync('find', [folder.path, '-type', 'f', '-perm', '/077', '-name', '*.pgdump*'], {
      encoding: 'utf8',
    })
    expect(seen).toBe('')
  })
})
