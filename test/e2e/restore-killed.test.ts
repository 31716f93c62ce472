import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type PostgresServer } from '../servers/postgres.ts'
import { servicesFound } from '../servers/service.ts'
import { tempFolder, type TempFolder } from '../servers/temp.ts'
import { start, until, type Running } from './command.ts'
import { makeHold, type Hold } from './hold.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const BIN = here('../../packages/deployfile/bin/deployfile.js')

const config = (dev: string, production: string): string => `
import { defineConfig } from 'deployfile'
import { postgres } from 'deployfile/recipes'
const hosts = { localhost: { transport: 'local', roles: ['db'] } }
const databases = { dev: '${dev}', production: '${production}' }
export default defineConfig({
  stages: { dev: { hosts }, production: { protected: true, hosts } },
  defaultStage: 'dev',
  use: [
    postgres({
      databases,
      from: 'production',
      application: 'shop',
      restore: { stream: process.env.TEST_STREAM === 'yes' },
    }),
  ],
})
`

describe.runIf(servicesFound('postgres'))('a restore that is killed', () => {
  let production: PostgresServer
  let dev: PostgresServer
  let folder: TempFolder
  let before: string
  let hold: Hold
  beforeAll(async () => {
    ;[production, dev] = await Promise.all([startPostgres(), startPostgres()])
    folder = tempFolder('restore-killed')
    await production.psql('CREATE DATABASE shop_production')
    // Where the role exists, a restored row waits in its check: a restore that a test can find at work.
    await production.psql(
      `CREATE FUNCTION waits() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
         IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'wait_here') THEN PERFORM pg_catalog.pg_sleep(600); END IF;
         RETURN true; END $$;
       CREATE TABLE orders (id int PRIMARY KEY, note text CHECK (waits()));
       INSERT INTO orders SELECT i, 'order ' || i FROM generate_series(1, 100) i`,
      'shop_production',
    )
    await dev.psql('CREATE DATABASE shop_dev')
    await dev.psql("CREATE TABLE mine AS SELECT 'precious' AS word", 'shop_dev')
    mkdirSync(join(folder.path, 'node_modules'))
    symlinkSync(here('../../packages/deployfile'), join(folder.path, 'node_modules/deployfile'))
    writeFileSync(
      join(folder.path, 'deploy.config.mjs'),
      config(dev.url('shop_dev'), production.url('shop_production')),
    )
    before = await dev.psql(LIVE)
    hold = makeHold(join(folder.path, 'held'), dev.bin)
  })
  afterAll(async () => {
    await Promise.all([production.stop(), dev.stop()])
    await folder.remove()
  })

  const LIVE = "SELECT oid, datallowconn, datconnlimit FROM pg_database WHERE datname = 'shop_dev'"
  const OURS = "SELECT count(*) FROM pg_database WHERE datname ~ '_(restore|old)_'"
  const command = (words: readonly string[], more: Readonly<Record<string, string>> = {}): Running => {
    const PATH = `${join(folder.path, 'held')}:${process.env.PATH ?? ''}`
    return start(process.execPath, [BIN, ...words], {
      cwd: folder.path,
      env: { ...process.env, CI: '', PATH, ...more },
    })
  }
  const run = (task = 'db:backup:restore_from_prod', ...more: readonly string[]): Running =>
    command(['dev', task, ...more])
  const files = (): readonly string[] => {
    const path = join(folder.path, '.deployfile/backups')
    return existsSync(path) ? readdirSync(path) : []
  }
  const backups = (): readonly string[] => files().filter((name) => /\.pgdump(\.json)?$/.test(name))

  /** Resolves when a query has an answer that is wanted; the command must not have ended before. */
  async function reached(
    server: PostgresServer,
    query: string,
    wanted: string,
    running: Running,
  ): Promise<void> {
    let ended = ''
    void running.ended.then(({ output }) => (ended = `it ended: ${output}`))
    while ((await server.psql(query)) !== wanted) if (ended !== '') throw new Error(ended)
  }
  /** What a client program of PostgreSQL would be, of this test's servers only: their ports are in its arguments. */
  function clients(): readonly string[] {
    const all = execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' }).split('\n')
    const ports = [`${production.port}`, `${dev.port}`]
    return all.filter(
      (line) =>
        /bin\/pg_(dump|restore) |^pg_(dump|restore) /.test(line) && ports.some((port) => line.includes(port)),
    )
  }
  async function expectLiveUntouched(): Promise<void> {
    expect(await dev.psql(LIVE)).toBe(before)
    expect(await dev.psql('SELECT word FROM mine', 'shop_dev')).toBe('precious')
  }

  /** Runs a command up to the step that is armed, and kills it there, with what it had started. */
  async function killHeld(...command: readonly [string, ...string[]]): Promise<void> {
    const running = run(...command)
    let ended = ''
    void running.ended.then(({ output }) => (ended = `it ended: ${output}`))
    await until('held', () => {
      if (ended !== '') throw new Error(ended)
      return hold.held()
    })
    running.interrupt('SIGKILL')
    hold.letGo()
    await running.ended
  }

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`by ${signal} while the dump is at work`, async () => {
      const whole = backups()
      // The dump waits for the table, and so is there when the signal comes.
      const holder = production
        .psql('BEGIN; LOCK TABLE orders; SELECT pg_sleep(600)', 'shop_production')
        .catch(() => '')
      const running = run()
      const waiting =
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE query ~ '^LOCK TABLE public' AND wait_event_type = 'Lock'"
      await reached(production, waiting, 't', running)
      running.interrupt(signal)
      const { code } = await running.ended
      expect(code).toBe(signal === 'SIGTERM' ? 143 : null)
      await production.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'LOCK TABLE' AND pid <> pg_backend_pid()",
      )
      await holder
      await expect.poll(clients, { timeout: 20_000 }).toEqual([])
      await expectLiveUntouched()
      // What a killed dump leaves is not a backup, and nothing takes it for one.
      expect(backups()).toEqual(whole)
      if (signal === 'SIGTERM') expect(files()).toEqual(whole)
    })

    test(`by ${signal} while the archive is restored`, async () => {
      await dev.psql('CREATE ROLE wait_here')
      const running = run()
      const copying =
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname ~ '_restore_' AND query ~ '^COPY'"
      await reached(dev, copying, 't', running)
      running.interrupt(signal)
      const { code } = await running.ended
      expect(code).toBe(signal === 'SIGTERM' ? 143 : null)
      await dev.psql('DROP ROLE wait_here')
      await expectLiveUntouched()
      if (signal === 'SIGTERM') {
        expect(await dev.psql(OURS)).toBe('0')
        expect(clients()).toEqual([])
      } else expect(await dev.psql(OURS)).toBe('1')
    })
  }

  test('by SIGKILL while a dump is restored as it comes', async () => {
    const whole = backups()
    await dev.psql('CREATE ROLE wait_here')
    // What the test before had left is dropped first.
    const left = await dev.psql("SELECT max(datname) FROM pg_database WHERE datname ~ '_restore_'")
    const running = command(['dev', 'db:backup:restore_from_prod'], { TEST_STREAM: 'yes' })
    const copying = `SELECT count(*) FROM pg_stat_activity WHERE datname ~ '_restore_' AND datname <> '${left}' AND query ~ '^COPY'`
    await reached(dev, copying, '1', running)
    expect(await dev.psql(OURS)).toBe('1')
    running.interrupt('SIGKILL')
    await running.ended
    await dev.psql('DROP ROLE wait_here')
    await expectLiveUntouched()
    expect(backups()).toEqual(whole)
    expect(await dev.psql(OURS)).toBe('1')
  })

  for (const [command, told] of [
    ['db:backup:list', 'opened the database shop_dev again, which a restore had left closed'],
    ['doctor', '! shop_dev      a killed restore had left it closed to connections; it is open again now'],
  ] as const)
    test(`by SIGKILL while the database is closed for the swap: ${command} opens it`, async () => {
      // The rename waits for this, and closing does not.
      const holder = dev
        .psql("BEGIN; COMMENT ON DATABASE shop_dev IS 'x'; SELECT pg_sleep(600)")
        .catch(() => '')
      const running = run()
      await reached(dev, "SELECT datallowconn FROM pg_database WHERE datname = 'shop_dev'", 'f', running)
      const renaming =
        "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^ALTER DATABASE .* RENAME' AND wait_event_type = 'Lock'"
      await reached(dev, renaming, '1', running)
      running.interrupt('SIGKILL')
      await running.ended
      await dev.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^ALTER DATABASE .* RENAME'",
      )
      await dev.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'COMMENT ON' AND pid <> pg_backend_pid()",
      )
      await holder
      expect(await dev.psql("SELECT datallowconn FROM pg_database WHERE datname = 'shop_dev'")).toBe('f')

      const healed = await run(command).ended
      expect(healed, healed.output).toMatchObject({ code: 0 })
      expect(healed.output).toContain(told)
      await expectLiveUntouched()
      expect(files().filter((name) => name.startsWith('closed_'))).toEqual([])
    })

  test('by SIGKILL while the archive is hashed: it is no backup, and the next one is made', async () => {
    const whole = backups()
    hold.arm('sha256sum', '')
    await killHeld('db:backup:create')
    expect(backups()).toEqual(whole)
    const ended = await run('db:backup:create').ended
    expect(ended, ended.output).toMatchObject({ code: 0 })
    expect(backups()).toHaveLength(whole.length + 2)
    await expectLiveUntouched()
  })

  test('by SIGKILL while the manifest is written: it is listed as incomplete, and never the latest', async () => {
    const latest = backups().find((name) => /^shop_dev_.*[.]pgdump$/.test(name)) ?? 'none'
    hold.arm('mv', '[.]pgdump[.]json')
    await killHeld('db:backup:create')
    const alone = backups().find((name) => name.endsWith('.pgdump') && !backups().includes(`${name}.json`))
    expect(alone).toBeDefined()
    const listed = await run('db:backup:list').ended
    expect(listed.output).toMatch(new RegExp(`${alone ?? ''}  .*  incomplete`))
    const verified = await run('db:backup:verify').ended
    expect(verified, verified.output).toMatchObject({ code: 0 })
    expect(verified.output).toContain(latest)
    await expectLiveUntouched()
  })

  test('by SIGKILL while it is recorded what the swap will close: nothing is closed', async () => {
    hold.arm('mv', 'closed_')
    await killHeld('db:backup:restore_from_prod')
    await expectLiveUntouched()
    expect(files().filter((name) => name.startsWith('closed_'))).toEqual([])
  })

  test('leaves nothing that the next restore does not put right', async () => {
    const ended = await run().ended
    expect(ended, ended.output).toMatchObject({ code: 0 })
    expect(ended.output).toMatch(/dropped shop_dev_restore_\S+, which an interrupted restore had left/)
    expect(await dev.psql(OURS)).toBe('0')
    expect(await dev.psql('SELECT count(*) FROM orders', 'shop_dev')).toBe('100')
    expect(clients()).toEqual([])
    expect(files().filter((name) => /^(restore_|closed_|upload_)/.test(name))).toEqual([])
  })

  test('by SIGKILL between the commit of the swap and the drop of what was live: the new one is live', async () => {
    await dev.psql("CREATE TABLE mine AS SELECT 'yours' AS word", 'shop_dev')
    const oid = await dev.psql(LIVE)
    hold.arm('psql', '^COMMIT;')
    await killHeld('db:backup:restore_from_prod')
    expect(await dev.psql(LIVE)).not.toBe(oid)
    const there = async () => [
      await dev.psql("SELECT datallowconn FROM pg_database WHERE datname = 'shop_dev'"),
      await dev.psql('SELECT count(*) FROM orders', 'shop_dev'),
      await dev.psql("SELECT to_regclass('mine') IS NULL", 'shop_dev'),
    ]
    expect(await there()).toEqual(['t', '100', 't'])
    expect(await dev.psql(OURS)).toBe('1')

    const listed = await run('db:backup:list').ended
    expect(listed, listed.output).toMatchObject({ code: 0 })
    expect(files().filter((name) => name.startsWith('closed_'))).toEqual([])
    expect(await there()).toEqual(['t', '100', 't'])
    const ended = await run().ended
    expect(ended, ended.output).toMatchObject({ code: 0 })
    expect(await dev.psql(OURS)).toBe('0')
    expect(files().filter((name) => /^(restore_|closed_|upload_)/.test(name))).toEqual([])
  })
})
