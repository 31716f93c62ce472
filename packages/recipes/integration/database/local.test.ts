import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secret } from '@deployfile/core'
import type { Backup } from '@deployfile/postgres'
import { startPostgres, type PostgresServer } from '../../../../test/servers/postgres.ts'
import { servicesFound } from '../../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../../test/servers/temp.ts'
import { project } from './project.ts'

describe.runIf(servicesFound('postgres'))('databases on this machine', () => {
  let production: PostgresServer
  let other: PostgresServer
  let folder: TempFolder
  beforeAll(async () => {
    ;[production, other] = await Promise.all([startPostgres({ auth: 'scram' }), startPostgres()])
    process.env.TEST_PRODUCTION_PASSWORD = production.password
    folder = tempFolder('database')
    await production.psql('CREATE DATABASE shop_production')
    await production.psql(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT i, 'order ' || i FROM generate_series(1, 1000) i",
      'shop_production',
    )
    await other.psql('CREATE DATABASE shop_dev')
    await other.psql('CREATE DATABASE shop_staging')
    await other.psql('CREATE TABLE mine ()', 'shop_dev')
  })
  afterAll(async () => {
    delete process.env.TEST_PRODUCTION_PASSWORD
    await Promise.all([production.stop(), other.stop()])
    await folder.remove()
  })
  const databases = (more: Record<string, string> = {}) => ({
    dev: other.url('shop_dev'),
    staging: other.url('shop_staging'),
    production: { url: production.url('shop_production'), password: secret.env('TEST_PRODUCTION_PASSWORD') },
    ...more,
  })
  const run = (more?: Record<string, string>) => project({ root: folder.path, databases: databases(more) })

  it('refuses a file while production was never seen and cannot be reached', async () => {
    const dead = { production: 'postgresql://postgres@127.0.0.1:1/shop_production' }
    writeFileSync(join(folder.path, 'some.pgdump'), 'PGDMP')
    const { outcome, failure } = await run(dead)(['dev', 'db:backup:restore', { file: 'some.pgdump' }])
    expect(outcome.status).toBe('failed')
    expect(failure).toContain('it is not known which database is production')
  })

  it('creates a backup of production, which asks for nothing and tells nothing secret', async () => {
    const { outcome, logs, result, events } = await run()(['production', 'db:backup:create'])
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    const backup = result('db:backup:create') as Backup
    expect(backup).toMatchObject({
      application: 'shop',
      stage: 'production',
      database: 'shop_production',
      tables: 1,
    })
    expect(backup.file).toMatch(
      /\/\.deployfile\/backups\/shop_production_shop_production_\d{8}T\d{9}Z_[0-9a-f]{4}\.pgdump$/,
    )
    expect(logs[0]).toMatch(/^dumping shop_production: .* \(estimated\)$/)
    expect(logs[1]).toMatch(/^dumped shop_production in \d+(\.\d)? s: .* kB, 1 table, sha256 /)
    expect(JSON.stringify(events)).not.toContain(production.password)
    expect(readFileSync(join(folder.path, '.deployfile/.gitignore'), 'utf8')).toBe('*\n')
    expect(JSON.parse(readFileSync(join(folder.path, '.deployfile/identities.json'), 'utf8'))).toMatchObject({
      databases: [{ stage: 'production', ...backup.identity }],
    })
  })

  it('lists it', async () => {
    const { result, logs } = await run()(['dev', 'db:backup:list'])
    expect(result('db:backup:list')).toMatchObject([
      { status: 'done', database: 'shop_production', tables: 1 },
    ])
    expect(logs[0]).toMatch(/\.pgdump {2}.* kB {2}20/)
  })

  it("brings production's data to dev in one command, without a question", async () => {
    const { outcome, questions, logs } = await run()(['dev', 'db:backup:restore_from_prod'])
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    expect(questions).toEqual([])
    const rows = 'SELECT * FROM orders ORDER BY id'
    expect(await other.psql(rows, 'shop_dev')).toBe(await production.psql(rows, 'shop_production'))
    expect(await other.psql("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'", 'shop_dev')).toBe('0')
    expect(logs.at(-1)).toMatch(
      /^restored shop_production_shop_production_.*\.pgdump into shop_dev in \d+(\.\d)? s: .* kB, 1 table, sha256 [0-9a-f]{64}$/,
    )
  })

  it('restores a file by name, by path and the latest, also while production cannot be reached', async () => {
    const dead = { production: 'postgresql://postgres@127.0.0.1:1/shop_production' }
    const names = readdirSync(join(folder.path, '.deployfile/backups')).filter((name) =>
      name.endsWith('.pgdump'),
    )
    for (const file of ['latest', names[0]!, join('.deployfile/backups', names[0]!)]) {
      await other.psql('DELETE FROM orders', 'shop_dev')
      const { outcome } = await run(dead)(['dev', 'db:backup:restore', { file }])
      expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
      expect(await other.psql('SELECT count(*) FROM orders', 'shop_dev')).toBe('1000')
    }
  })

  it('says which backups there are when the one that was asked for is not there', async () => {
    const { outcome } = await run()(['dev', 'db:backup:restore', { file: 'nothing.pgdump' }])
    expect(outcome.failures[0]?.problem).toMatchObject({ kind: 'check', code: 'BACKUP_NOT_FOUND' })
  })

  it('refuses production as a stage while planning', async () => {
    for (const task of ['db:backup:restore_from_prod', 'db:backup:restore']) {
      await expect(
        run()(['production', task, task.endsWith('prod') ? {} : { file: 'latest' }]),
      ).rejects.toMatchObject({
        kind: 'usage',
        code: 'RESTORE_ONTO_PRODUCTION',
      })
    }
  })

  it('refuses production by what it is, whatever name leads there', async () => {
    const disguised = {
      dev: `postgresql://postgres:${production.password ?? ''}@localhost:${production.port}/shop_production`,
    }
    for (const command of [
      ['dev', 'db:backup:restore_from_prod'],
      ['dev', 'db:backup:restore', { file: 'latest' }],
    ] as const) {
      const { outcome, failure } = await run(disguised)(command)
      expect(outcome.status).toBe('failed')
      expect(failure).toContain('is the one of production; it is never restored onto')
    }
    expect(await production.psql('SELECT count(*) FROM orders', 'shop_production')).toBe('1000')
  })

  it("asks for the database's name before the dump when the target is on production's server", async () => {
    const near = {
      dev: `postgresql://postgres:${production.password ?? ''}@127.0.0.1:${production.port}/shop_copy`,
    }
    const alone = await run(near)(['dev', 'db:backup:restore_from_prod'])
    expect(alone.outcome.status).toBe('failed')
    expect(alone.questions[0]).toMatchObject({ answer: 'shop_copy' })
    expect(alone.questions[0]?.message).toContain('on the same server as the database of production')
    expect(alone.logs.join()).not.toContain('dumped')

    const answered = project({
      root: folder.path,
      databases: databases(near),
      answer: ({ answer }) => answer,
    })
    const { outcome, questions } = await answered(['dev', 'db:backup:restore_from_prod'])
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    expect(questions).toHaveLength(1)
    expect(await production.psql('SELECT count(*) FROM orders', 'shop_copy')).toBe('1000')
  })

  it('opens what a killed restore left closed, whatever command comes next', async () => {
    const facts =
      "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = 'shop_dev') FROM pg_control_system()"
    const [system = '', oid = ''] = (await other.psql(facts)).split('|')
    const record = join(folder.path, `.deployfile/backups/closed_${system}_${oid}.json`)
    for (const task of ['db:backup:create', 'db:backup:list']) {
      writeFileSync(record, JSON.stringify({ v: 1, system, oid: Number(oid), database: 'shop_dev' }))
      await other.psql('ALTER DATABASE shop_dev WITH ALLOW_CONNECTIONS false')
      const { outcome, logs } = await run()(['dev', task])
      expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
      expect(logs[0]).toBe('opened the database shop_dev again, which a restore had left closed')
      expect(existsSync(record)).toBe(false)
      expect(await other.psql('SELECT count(*) FROM orders', 'shop_dev')).toBe('1000')
    }
  })

  it('cleans up after an interrupt in the middle of a restore', async () => {
    await other.psql('CREATE TABLE kept AS SELECT 1 AS one', 'shop_staging')
    const stop = new AbortController()
    const running = run()(['staging', 'db:backup:restore_from_prod'], stop.signal)
    // The fresh database exists from the moment on in which the restore fills it.
    while ((await other.psql("SELECT count(*) FROM pg_database WHERE datname ~ '_restore_'")) === '0') {
      await new Promise((wake) => setTimeout(wake, 5))
    }
    stop.abort()
    const { outcome } = await running
    expect(outcome.status).toBe('cancelled')
    expect(await other.psql("SELECT count(*) FROM pg_database WHERE datname ~ '_(restore|old)_'")).toBe('0')
    expect(await other.psql('SELECT one FROM kept', 'shop_staging')).toBe('1')
    expect(
      readdirSync(join(folder.path, '.deployfile/backups')).filter(
        (name) => !/\.pgdump(\.json)?$/.test(name),
      ),
    ).toEqual([])
  })
})
