import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  cleanUpRestore,
  createBackup,
  newStamp,
  openServer,
  openTarget,
  readBackup,
  restoreBackup,
  type Backup,
} from '@deployfile/postgres'
import { execute } from '../src/sql/query.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere, identityOf, testSite, type TestSite } from './site.ts'

const label = { application: 'app', stage: 'production' }
const yes = (): Promise<void> => Promise.resolve()

describe.runIf(servicesFound('postgres'))('what can go wrong', () => {
  let server: PostgresServer
  let folder: TempFolder
  let backup: Backup
  let before: string
  beforeAll(async () => {
    server = await startPostgres({ auth: 'scram' })
    folder = tempFolder('faults')
    await makeSample(server, 'app_production')
    await makeSample(server, 'app_dev')
    await server.psql("UPDATE authors SET name = 'mine' || id", 'app_dev')
    before = await contentOf(server, 'app_dev')
    // What is compared has the rows in it, and large objects.
    expect(before).toContain('mine7')
    expect(before).toContain('abababab')
    backup = await createBackup(siteOf('app_production'), label, newStamp())
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  const siteOf = (database: string, as: 'local' | 'ssh' = 'local', password = server.password!): TestSite =>
    testSite({ url: server.url(database), password, root: folder.path, as })

  /** Restores a file onto app_dev; the live database must be what it was, and nothing else may be left. */
  async function expectRefused(
    file: string,
    as: 'local' | 'ssh' = 'local',
  ): Promise<Error & { code?: string }> {
    const site = siteOf('app_dev', as)
    const found = (await readBackup(site.shell, file))!
    const order = { backup: found, stage: 'dev', production: elsewhere, stamp: newStamp(), confirm: yes }
    const error = await restoreBackup(site, order).then(
      () => new Error('it was restored'),
      (reason: unknown) => reason as Error,
    )
    await expectUntouched()
    expect(readdirSync(site.folder).filter((name) => !/\.pgdump(\.json)?$/.test(name))).toEqual([])
    return error
  }
  async function expectUntouched(): Promise<void> {
    expect(await contentOf(server, 'app_dev')).toBe(before)
    expect(await server.psql("SELECT datname FROM pg_database WHERE datname ~ '_(restore|old)_'")).toBe('')
    expect(await server.psql("SELECT datallowconn FROM pg_database WHERE datname = 'app_dev'")).toBe('t')
  }
  /** Client programs at work on this test's server, which is known by its port: their process ids and arguments. */
  function ours(program: string): readonly { readonly pid: number; readonly args: string }[] {
    const all = execFileSync('ps', ['axww', '-o', 'pid,args'], { encoding: 'utf8' }).split('\n')
    return all.flatMap((line) => {
      const [, pid, args = ''] = /^ *(\d+) (.*)$/.exec(line) ?? []
      const named = new RegExp(`^(\\S*/)?${program} `).test(args)
      return named && args.includes(String(server.port)) ? [{ pid: Number(pid), args }] : []
    })
  }
  function copy(name: string, withManifest: boolean): string {
    const file = join(folder.path, '.deployfile/backups', name)
    copyFileSync(backup.file, file)
    if (withManifest) copyFileSync(`${backup.file}.json`, `${file}.json`)
    return file
  }

  describe('a damaged file is refused before anything is touched', () => {
    for (const manifest of [true, false]) {
      const kind = manifest ? 'with its manifest' : 'without a manifest'
      for (const left of [0, 4, 100, 0.5, 0.9, -1]) {
        it(`${kind}, cut to ${left === -1 ? 'all but one byte' : left > 0 && left < 1 ? `${left * 100} %` : `${left} bytes`}`, async () => {
          const file = copy(`cut${left}${manifest ? 'm' : ''}.pgdump`, manifest)
          const size = backup.bytes
          truncateSync(file, left === -1 ? size - 1 : left > 0 && left < 1 ? Math.floor(size * left) : left)
          expect((await expectRefused(file)).code).toMatch(/^BACKUP_(DAMAGED|NOT_ARCHIVE)$/)
        })
      }
      it(`${kind}, a byte flipped in the middle`, async () => {
        const file = copy(`flip${manifest ? 'm' : ''}.pgdump`, manifest)
        const bytes = readFileSync(file)
        // Without a manifest only compressed blocks tell, so the byte is one of the large table's.
        const at = Math.floor(bytes.length * 0.7)
        bytes[at] = bytes[at]! ^ 0x55
        writeFileSync(file, bytes)
        expect((await expectRefused(file)).code).toBe('BACKUP_DAMAGED')
      })
    }
    it('plain SQL, which could run commands', async () => {
      const file = join(folder.path, '.deployfile/backups/plain.pgdump')
      writeFileSync(file, '\\! touch /tmp/never\nCREATE TABLE x ();\n')
      expect((await expectRefused(file)).code).toBe('BACKUP_NOT_ARCHIVE')
    })
    it('the first word of an archive, and then something else', async () => {
      const file = join(folder.path, '.deployfile/backups/garbage.pgdump')
      writeFileSync(file, 'PGDMP, or so it says')
      expect((await expectRefused(file)).message).toContain('is not an archive of pg_dump -Fc')
    })
    it('an archive in another format of pg_dump: tar, and a folder', async () => {
      const { port, bin } = server
      for (const format of ['t', 'd']) {
        const file = join(folder.path, `.deployfile/backups/format-${format}.pgdump`)
        const args = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', `-F${format}`, '-f', file]
        const env = { ...process.env, PGPASSWORD: server.password }
        execFileSync(join(bin, 'pg_dump'), [...args, 'app_production'], { env })
        expect(await expectRefused(file)).toMatchObject({ kind: 'check', code: 'BACKUP_NOT_ARCHIVE' })
      }
    })
    it('an archive of a version that nothing here reads', async () => {
      const file = copy('newer.pgdump', false)
      const bytes = readFileSync(file)
      bytes[6] = 16
      writeFileSync(file, bytes)
      const error = await expectRefused(file)
      expect(error.code).toBe('PG_CLIENT_TOO_OLD')
      expect(error.message).toContain('the archive has the format 1.16')
    })
  })

  for (const as of ['local', 'ssh'] as const) {
    it(`a restore that fails in the middle leaves nothing (${as})`, async () => {
      await server.psql('CREATE DATABASE broken')
      await server.psql(
        `CREATE FUNCTION only_here(t text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN current_database() = 'broken'; END $$;
         CREATE TABLE picky (t text CHECK (only_here(t))); INSERT INTO picky VALUES ('x')`,
        'broken',
      )
      const made = await createBackup(siteOf('broken', as), label, newStamp())
      await server.psql('DROP DATABASE broken')
      const error = await expectRefused(made.file, as)
      expect(error.code).toBe('DATABASE_COMMAND_FAILED')
      expect(error.message).toContain('violates check constraint')
    })

    it(`pg_restore itself is killed: neither its workers nor their sessions stay (${as})`, async () => {
      // Where the role exists, a restored row waits in its check.
      await server.psql('CREATE DATABASE waiting')
      await server.psql(
        `CREATE FUNCTION waits() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
             IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'wait_here') THEN PERFORM pg_catalog.pg_sleep(600); END IF;
             RETURN true; END $$;
           CREATE TABLE one (id int CHECK (waits())); INSERT INTO one VALUES (1);
           CREATE TABLE two (id int CHECK (waits())); INSERT INTO two VALUES (1);
           COMMENT ON SCHEMA public IS 'every new database has it'`,
        'waiting',
      )
      const made = await createBackup(siteOf('waiting', as), label, newStamp())
      await server.psql('DROP DATABASE waiting')
      await server.psql('CREATE ROLE wait_here')
      const running = expectRefused(made.file, as)
      const copying = "SELECT count(*) FROM pg_stat_activity WHERE datname ~ '_restore_' AND query ~ '^COPY'"
      await expect.poll(() => server.psql(copying), { timeout: 20_000 }).not.toBe('0')
      // The first of them started the others.
      const [leader] = [...ours('pg_restore')].sort((a, b) => a.pid - b.pid)
      expect(leader?.args).not.toContain(server.password)
      process.kill(leader?.pid ?? 0, 'SIGKILL')
      const error = await running
      await server.psql('DROP ROLE wait_here')
      expect(error.code).toBe('DATABASE_COMMAND_FAILED')
      await expect.poll(() => ours('pg_restore'), { timeout: 20_000 }).toEqual([])
      expect(await server.psql(copying)).toBe('0')
    })

    it(`a wrong password fails at once and is nowhere to be read (${as})`, async () => {
      const wrong = 'wr:ong\\pass word'
      const started = Date.now()
      const site = siteOf('app_production', as, wrong)
      const error = await createBackup(site, label, newStamp()).catch((reason: unknown) => reason as Error)
      expect(Date.now() - started).toBeLessThan(5000)
      expect(error).toMatchObject({ kind: 'check', code: 'DATABASE_UNREACHABLE' })
      expect(
        `${JSON.stringify(error)} ${(error as Error).stack ?? ''} ${site.commands.join()}`,
      ).not.toContain('wr:ong')
    })

    it(`no password where one is needed fails at once (${as})`, async () => {
      const site = testSite({ url: server.url('app_production'), root: folder.path, as })
      const error = await createBackup(site, label, newStamp()).catch((reason: unknown) => reason as Error)
      expect(error).toMatchObject({ kind: 'check', code: 'DATABASE_UNREACHABLE' })
      expect((error as { details?: { hint?: string } }).details?.hint).toContain("secret.env('…')")
    })

    it(`an interrupted dump leaves no process and, once discarded, no file (${as})`, async () => {
      await server.psql('CREATE DATABASE locked')
      await server.psql('CREATE TABLE held (); INSERT INTO held DEFAULT VALUES', 'locked')
      // pg_dump waits for the table, so that the interrupt always finds it at work.
      const holder = server.psql('BEGIN; LOCK TABLE held; SELECT pg_sleep(20)', 'locked').catch(() => '')
      const site = siteOf('locked', as)
      const running = createBackup(site, label, newStamp()).catch((reason: unknown) => reason)
      const waiting =
        "SELECT pid FROM pg_stat_activity WHERE datname = 'locked' AND query ~ '^LOCK' AND wait_event_type = 'Lock'"
      while ((await server.psql(waiting)) === '') await new Promise((wake) => setTimeout(wake, 20))
      const seen = execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' })
      expect(seen).toContain('pg_dump')
      expect(seen).not.toContain(server.password)
      site.abort()
      await running
      expect(ours('pg_dump')).toEqual([])
      await server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'locked'")
      await holder
      await server.psql('DROP DATABASE locked WITH (FORCE)')
      const parts = readdirSync(site.folder).filter(
        (name) => name.includes('locked') && !name.endsWith('.part'),
      )
      expect(parts).toEqual([])
      execFileSync('sh', ['-c', 'rm -f "$1"/*_locked_*.part', 'sh', site.folder])
    })
  }

  it('production is refused by identity, and nothing is asked', async () => {
    const site = siteOf('app_dev')
    const identity = await identityOf(server, 'app_dev')
    const order = {
      backup: { file: backup.file, manifest: backup },
      stage: 'dev',
      stamp: newStamp(),
      confirm: yes,
    }
    const production = [{ stage: 'production', database: 'app', identity }]
    await expect(restoreBackup(site, { ...order, production })).rejects.toMatchObject({
      code: 'RESTORE_ONTO_PRODUCTION',
    })
    await expect(restoreBackup(site, { ...order, production: [] })).rejects.toMatchObject({
      code: 'PRODUCTION_UNKNOWN',
    })
    await expectUntouched()
  })

  it('a target that does not tell who it is is refused', async () => {
    await server.psql(
      "CREATE ROLE quiet LOGIN CREATEDB PASSWORD 'quiet'; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
    )
    for (const database of ['postgres', 'template1']) {
      await server.psql('REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC', database)
    }
    const site = testSite({
      url: server.url('app_dev').replace('postgres@', 'quiet@'),
      password: 'quiet',
      root: folder.path,
    })
    const order = {
      backup: { file: backup.file, manifest: backup },
      stage: 'dev',
      stamp: newStamp(),
      confirm: yes,
    }
    await expect(restoreBackup(site, { ...order, production: elsewhere })).rejects.toMatchObject({
      code: 'IDENTITY_UNKNOWN',
    })
    for (const database of ['postgres', 'template1']) {
      await server.psql('GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC', database)
    }
    await expectUntouched()
  })

  it('an ordinary role that owns its database and may create others restores it', async () => {
    await server.psql("CREATE ROLE plain LOGIN CREATEDB PASSWORD 'plain'")
    await server.psql('CREATE DATABASE plain_dev OWNER plain')
    const site = testSite({
      url: server.url('plain_dev').replace('postgres@', 'plain@'),
      password: 'plain',
      root: folder.path,
    })
    const order = {
      backup: { file: backup.file, manifest: backup },
      stage: 'dev',
      stamp: newStamp(),
      confirm: yes,
    }
    await restoreBackup(site, { ...order, production: elsewhere })
    expect(await server.psql('SELECT count(*) FROM books', 'plain_dev')).toBe('500')
  })

  it('what a killed restore left closed is opened by the next command, what it left half full is dropped by the next restore', async () => {
    const site = siteOf('app_dev')
    const { system, oid } = await identityOf(server, 'app_dev')
    const record = join(site.folder, `closed_${system}_${oid}.json`)
    writeFileSync(record, JSON.stringify({ v: 1, system, oid, database: 'app_dev' }))
    await server.psql('ALTER DATABASE app_dev WITH ALLOW_CONNECTIONS false')
    await server.psql('CREATE DATABASE app_dev_restore_20250101t000000000z_abcd')
    await openTarget(site, 'dev')
    expect(existsSync(record)).toBe(false)
    expect(await server.psql("SELECT datallowconn FROM pg_database WHERE datname = 'app_dev'")).toBe('t')
    expect(site.logs).toEqual(['opened the database app_dev again, which a restore had left closed'])
    await cleanUpRestore(site, 'dev', { time: '20250101T000000000Z', hex: 'abcd' })
    await expectUntouched()
  })

  it('a database that somebody else has closed is left alone', async () => {
    await server.psql('ALTER DATABASE app_dev WITH ALLOW_CONNECTIONS false')
    await expect(openTarget(siteOf('app_dev'), 'dev')).rejects.toMatchObject({
      kind: 'check',
      code: 'DATABASE_CLOSED',
    })
    await server.psql('ALTER DATABASE app_dev WITH ALLOW_CONNECTIONS true')
    await expectUntouched()
  })

  it('a dump cannot write into the database that it reads', async () => {
    const seen = await server.psql(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'deployfile'",
    )
    expect(seen).toBe('0')
    const site = siteOf('app_production')
    const opened = await openServer(site, { readOnly: true, databases: ['app_production'] })
    await expect(execute(opened, 'DELETE FROM books;')).rejects.toThrow('read-only transaction')
  })
})
