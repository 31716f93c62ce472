import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Host, ShellProvider } from '@deployfile/core'
import {
  cleanUpRestore,
  newStamp,
  parseDatabaseUrl,
  restoreFrom,
  type CopyOrder,
  type Site,
} from '@deployfile/postgres'
import { createShells } from '@deployfile/shell'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { startProxy, type Proxy } from '../../../test/servers/proxy.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { startSshd, type SshHost } from '../../../test/servers/sshd.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere } from './site.ts'

describe.runIf(servicesFound('postgres', 'sshd'))(
  'a dump that is restored as it comes',
  { timeout: 120_000 },
  () => {
    let server: PostgresServer
    let sshd: SshHost
    let link: Proxy
    let folder: TempFolder
    let shells: ShellProvider
    let live: string
    beforeAll(async () => {
      server = await startPostgres()
      sshd = await startSshd({ name: 'db1' })
      link = await startProxy(sshd.port)
      folder = tempFolder('stream')
      const sshConfig = join(folder.path, 'ssh_config')
      writeFileSync(sshConfig, sshd.sshConfig('/dev/null'))
      shells = createShells({ root: folder.path, sshConfig })
      await makeSample(server, 'app_production')
      await server.psql('CREATE ROLE app LOGIN CREATEDB')
      await server.psql('CREATE DATABASE app_dev OWNER app')
      await server.psql('CREATE TABLE mine AS SELECT 1 AS one', 'app_dev')
      live = await contentOf(server, 'app_dev')
      await server.psql('CREATE DATABASE slow')
      // While somebody has the lock, a restored row waits in its check. Behind it more than all buffers between the two hold.
      await server.psql(
        `CREATE FUNCTION waits() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
         WHILE EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = 77)
         LOOP PERFORM pg_catalog.pg_sleep(0.02); END LOOP;
         RETURN true; END $$;
       CREATE TABLE a (id int CHECK (waits())); INSERT INTO a VALUES (1);
       CREATE TABLE b AS SELECT i, (SELECT string_agg(sha512((i * 1000 + n)::text::bytea), '') FROM generate_series(1, 500) n) AS bytes
         FROM generate_series(1, 600) i`,
        'slow',
      )
    })
    afterEach(async () => {
      link.mend()
      await goOn()
    })
    afterAll(async () => {
      await shells.close()
      await link[Symbol.asyncDispose]()
      await Promise.all([server.stop(), sshd.stop()])
      await folder.remove()
    })

    let holder: Promise<unknown> | undefined
    const goOn = async (): Promise<void> => {
      await server.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_advisory_lock|pg_sleep.600' AND pid <> pg_backend_pid()",
      )
      await holder
    }
    const restoring = "datname ~ '_restore_' AND query ~ '^COPY'"

    interface Watched extends Site {
      readonly logs: string[]
      readonly progressed: Parameters<Site['progress']>[]
      readonly controller: AbortController
    }
    function siteOf(database: string, transport: 'ssh' | 'local', user = 'postgres'): Watched {
      const host: Host = {
        ...{
          name: transport === 'ssh' ? 'db1' : 'here',
          stage: 'x',
          roles: ['db'],
          transport,
          address: 'db1',
        },
        ...{ primary: true, props: {}, port: link.port, hostKey: [sshd.hostKeyFingerprint] },
      }
      const controller = new AbortController()
      const { signal } = controller
      const logs: string[] = []
      const progressed: Watched['progressed'] = []
      return {
        ...{
          shell: shells.remote(host, { signal, emit: () => undefined }),
          signal,
          controller,
          logs,
          progressed,
        },
        connection: { ...parseDatabaseUrl(server.url(database)).connection, user },
        folder: transport === 'ssh' ? join(sshd.home, 'backups') : join(folder.path, 'backups'),
        log: (message) => logs.push(message),
        progress: (...seen) => progressed.push(seen),
      }
    }
    const order = (from: Site, to: Site): CopyOrder => ({
      ...{ from, to, local: to.shell, folder: to.folder, application: 'app', stream: true },
      ...{ fromStage: 'production', toStage: 'dev', production: elsewhere },
      ...{ choices: { railsEnvironment: 'production' }, confirm: () => Promise.resolve() },
    })
    const failure = (running: Promise<unknown>): Promise<Error> =>
      running.then(
        () => new Error('it was restored'),
        (error: unknown) => error as Error,
      )
    const untouched = async (): Promise<void> => {
      expect(await contentOf(server, 'app_dev')).toBe(live)
      expect(await server.psql("SELECT datname FROM pg_database WHERE datname ~ '_(restore|old)_'")).toBe('')
      expect(readdirSync(join(folder.path, 'backups'))).toEqual([])
      await nobody()
    }
    const sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'deployfile'"
    const nobody = () => expect.poll(() => server.psql(sessions), { timeout: 20_000 }).toBe('0')
    /** A copy that is at work: the restore waits in its first row, and so does the dump. */
    const waiting = async (from: Site, to: Site, stamp = newStamp()): Promise<{ failed: Promise<Error> }> => {
      holder = server.psql('SELECT pg_advisory_lock(77); SELECT pg_sleep(600)').catch(() => 'ended')
      const held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 77"
      await expect.poll(() => server.psql(held), { timeout: 20_000 }).toBe('1')
      const failed = failure(restoreFrom({ ...order(from, to), stamp }))
      const copying = `SELECT count(*) FROM pg_stat_activity WHERE ${restoring}`
      await expect.poll(() => server.psql(copying), { timeout: 20_000 }).toBe('1')
      return { failed }
    }

    it('says how far it is, ends the dump when the restore fails, and says why that did', async () => {
      const [from, to] = [siteOf('slow', 'ssh'), siteOf('app_dev', 'local')]
      const { failed } = await waiting(from, to)
      const seen = () =>
        to.progressed.map(([, total, facts]) => `${total ?? 0} ${facts?.what ?? ''} ${facts?.note ?? ''}`)
      await expect
        .poll(seen, { timeout: 20_000 })
        .toContainEqual(
          expect.stringMatching(
            /^[1-9]\d* restore [\d.]+ [kM]B received, [\d.]+ MB on the server, [\d,]+ rows into the table at work$/,
          ),
        )
      await server.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${restoring}`)
      expect(await failed).toMatchObject({
        code: 'DATABASE_COMMAND_FAILED',
        message: expect.stringMatching(
          /^pg_restore failed on here, database app_dev_restore_.*terminating connection due to administrator command/s,
        ) as string,
      })
      await untouched()
    })

    it('ends the restore when the dump fails, and says why that did', async () => {
      const [from, to] = [siteOf('slow', 'ssh'), siteOf('app_dev', 'local')]
      const { failed } = await waiting(from, to)
      await server.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'slow' AND pid <> pg_backend_pid()",
      )
      await goOn()
      expect(await failed).toMatchObject({
        code: 'DATABASE_COMMAND_FAILED',
        message: expect.stringMatching(/^pg_dump failed on db1, database slow: pg_dump: error: /) as string,
      })
      await untouched()
    })

    it('is given up when the link to its host breaks', async () => {
      const [from, to] = [siteOf('slow', 'ssh'), siteOf('app_dev', 'local')]
      const { failed } = await waiting(from, to)
      link.breakNow('reset')
      expect(await failed).toMatchObject({ code: 'CONNECTION_LOST', kind: 'task' })
      await untouched()
    })

    it('leaves a half-full database after an interrupt, which is cleaned up by its stamp', async () => {
      const [from, to] = [siteOf('slow', 'ssh'), siteOf('app_dev', 'local')]
      const stamp = newStamp()
      const { failed } = await waiting(from, to, stamp)
      for (const { controller } of [from, to]) controller.abort()
      expect(await failed).toMatchObject({ code: 'COMMAND_CANCELLED' })
      expect(await server.psql("SELECT count(*) FROM pg_database WHERE datname ~ '_restore_'")).toBe('1')
      await cleanUpRestore(siteOf('app_dev', 'local'), 'dev', stamp)
      await untouched()
    })

    describe('whose dump fails', () => {
      let path: string | undefined
      const programs = (): string => join(folder.path, 'programs')
      beforeAll(() => {
        path = process.env.PATH
        mkdirSync(programs())
        for (const name of ['psql', 'pg_restore']) symlinkSync(join(server.bin, name), join(programs(), name))
        process.env.PATH = `${programs()}:${path ?? ''}`
      })
      afterAll(() => {
        process.env.PATH = path
      })
      const failAfter = (how: string): void => {
        const text = `#!/bin/sh\nif [ "$1" = --version ]; then exec ${server.bin}/pg_dump "$@"; fi\n${server.bin}/pg_dump "$@" | ${how}\necho 'pg_dump: error: as told' >&2\nexit 1\n`
        writeFileSync(join(programs(), 'pg_dump'), text)
        chmodSync(join(programs(), 'pg_dump'), 0o755)
      }
      it.each([
        ['before its first byte', 'head -c 0'],
        ['in its table of contents', 'head -c 700'],
        ['in the middle of its rows', 'head -c 60000'],
        ['without its last byte', 'head -c -1'],
        ['after its last byte', 'cat'],
      ])('%s is never live', async (_, how) => {
        failAfter(how)
        const error = await failure(
          restoreFrom(order(siteOf('app_production', 'local'), siteOf('app_dev', 'local'))),
        )
        expect(error).toMatchObject({
          code: 'DATABASE_COMMAND_FAILED',
          message: 'pg_dump failed on here, database app_production: pg_dump: error: as told',
        })
        await untouched()
      })
    })

    it('is refused before the dump where it would have to be restored in place', async () => {
      await server.psql('CREATE ROLE humble LOGIN')
      await server.psql('CREATE DATABASE humble_dev OWNER humble')
      const from = siteOf('app_production', 'ssh')
      const error = await failure(restoreFrom(order(from, siteOf('humble_dev', 'local', 'humble'))))
      expect(error).toMatchObject({
        kind: 'check',
        code: 'RESTORE_IN_PLACE',
        message:
          'a dump that is restored as it comes would be live before it is known to be whole, because this restore is done in the live database itself',
        details: { host: 'here', hint: expect.stringContaining('CREATEDB') as string },
      })
      expect(from.logs).toEqual([])
    })

    it('arrives whole, without what not everybody may restore, and leaves no file anywhere', async () => {
      for (const sql of [
        "COMMENT ON EXTENSION hstore IS 'of a superuser'",
        'CREATE PUBLICATION everything FOR ALL TABLES',
        'CREATE SCHEMA "my own"; CREATE EXTENSION pageinspect SCHEMA "my own"',
      ])
        await server.psql(sql, 'app_production')
      const [from, to] = [siteOf('app_production', 'ssh'), siteOf('app_dev', 'local')]
      const result = await restoreFrom(order(from, to))
      expect(result).toMatchObject({ database: 'app_dev', host: 'here', strategy: 'swap', tables: 6 })
      expect(result.file).toBeUndefined()
      expect(await contentOf(server, 'app_dev')).toBe(await contentOf(server, 'app_production'))
      expect(to.logs.at(-1)).toMatch(
        /^copied app_production into app_dev in .* s: .* kB, 6 tables, sha256 [0-9a-f]{64}; no file was kept$/,
      )
      expect(to.logs).toContain('left out, because only a superuser may make it: publication everything')
      const owners = "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'public'"
      expect(await server.psql(owners, 'app_dev')).toBe('app')
      expect(readdirSync(to.folder)).toEqual([])
      expect(existsSync(from.folder)).toBe(false)
      expect(readdirSync(sshd.tmp)).toEqual([])
      await nobody()
    })
  },
)
