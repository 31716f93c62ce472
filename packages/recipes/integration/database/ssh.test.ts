import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secret, type HostSpec, type Question } from '@deployfile/core'
import type { Backup } from '@deployfile/postgres'
import { startPostgres, type PostgresServer } from '../../../../test/servers/postgres.ts'
import { servicesFound } from '../../../../test/servers/service.ts'
import { startSshd, type SshHost } from '../../../../test/servers/sshd.ts'
import { tempFolder, type TempFolder } from '../../../../test/servers/temp.ts'
import { project, type ProjectOptions } from './project.ts'

describe.runIf(servicesFound('postgres', 'sshd'))('databases behind sshd', () => {
  let production: PostgresServer
  let other: PostgresServer
  let productionHost: SshHost
  let stagingHost: SshHost
  let folder: TempFolder
  let options: ProjectOptions
  beforeAll(async () => {
    ;[production, other] = await Promise.all([startPostgres({ auth: 'scram' }), startPostgres()])
    folder = tempFolder('database-ssh')
    productionHost = await startSshd({ name: 'db1' })
    stagingHost = await startSshd({ name: 'staging1', identity: productionHost.identity })
    process.env.TEST_SSH_PRODUCTION_PASSWORD = production.password
    await production.psql('CREATE DATABASE shop_production')
    await production.psql(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT i, 'order ' || i FROM generate_series(1, 1000) i",
      'shop_production',
    )
    await other.psql('CREATE DATABASE shop_dev')
    await other.psql('CREATE DATABASE shop_staging')
    const knownHosts = join(folder.path, 'known_hosts')
    writeFileSync(knownHosts, `${productionHost.knownHostsLine}\n${stagingHost.knownHostsLine}\n`)
    const sshConfig = join(folder.path, 'ssh_config')
    writeFileSync(
      sshConfig,
      [productionHost, stagingHost].map((host) => host.sshConfig(knownHosts)).join('\n'),
    )
    const remote: HostSpec = { roles: ['db'] }
    options = {
      ...{ root: folder.path, sshConfig, hosts: { staging: remote, production: remote } },
      databases: {
        dev: other.url('shop_dev'),
        staging: other.url('shop_staging'),
        production: {
          url: production.url('shop_production'),
          password: secret.env('TEST_SSH_PRODUCTION_PASSWORD'),
        },
      },
    }
  })
  afterAll(async () => {
    delete process.env.TEST_SSH_PRODUCTION_PASSWORD
    await Promise.all([production.stop(), other.stop(), productionHost.stop(), stagingHost.stop()])
    await folder.remove()
  })
  const rows = 'SELECT * FROM orders ORDER BY id'
  const backupsOn = (host: SshHost): string[] => {
    const path = join(host.home, '.deployfile/backups')
    return existsSync(path) ? readdirSync(path) : []
  }

  it('dumps there, brings it here, restores it here, and leaves no file there', async () => {
    const { outcome, questions, events } = await project(options)(['dev', 'db:backup:restore_from_prod'])
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    expect(questions).toEqual([])
    expect(await other.psql(rows, 'shop_dev')).toBe(await production.psql(rows, 'shop_production'))
    expect(backupsOn(productionHost)).toEqual([])
    expect(readdirSync(productionHost.tmp)).toEqual([])
    expect(
      readdirSync(join(folder.path, '.deployfile/backups')).map((name) =>
        name.replace(/_\d{8}T.*Z_.{4}/, ''),
      ),
    ).toEqual(['shop_production_shop_production.pgdump', 'shop_production_shop_production.pgdump.json'])
    expect(JSON.stringify(events)).not.toContain(production.password)
  })

  it('keeps a backup made there on that host, and lists it there', async () => {
    const { result } = await project(options)(['production', 'db:backup:create'])
    const backup = result('db:backup:create') as Backup
    expect(backup.on).toBe('db1')
    expect(backup.file.startsWith(join(productionHost.home, '.deployfile/backups/shop_production_'))).toBe(
      true,
    )
    const listed = await project(options)(['production', 'db:backup:list'])
    expect(listed.result('db:backup:list')).toMatchObject([{ file: backup.file, status: 'done' }])
  })

  it('asks for the name of a database elsewhere, before the dump', async () => {
    const wrong = await project({ ...options, answer: () => 'yes' })([
      'staging',
      'db:backup:restore_from_prod',
    ])
    expect(wrong.outcome.status).toBe('failed')
    expect(wrong.logs.join()).not.toContain('dumped')
    expect(wrong.questions).toHaveLength(1)
    expect(wrong.questions[0]?.answer).toBe('shop_staging')
  })

  it('brings production to staging through this machine, and leaves no file on either', async () => {
    const before = backupsOn(productionHost)
    const { outcome } = await project({ ...options, answer: ({ answer }) => answer })([
      'staging',
      'db:backup:restore_from_prod',
    ])
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    expect(await other.psql(rows, 'shop_staging')).toBe(await production.psql(rows, 'shop_production'))
    expect(backupsOn(productionHost)).toEqual(before)
    expect(backupsOn(stagingHost)).toEqual([])
    expect(readdirSync(stagingHost.tmp)).toEqual([])
  })

  it('restores production as it comes on staging, through this machine, with no file on any', async () => {
    await other.psql('DELETE FROM orders', 'shop_staging')
    const folders = () => [
      backupsOn(productionHost),
      backupsOn(stagingHost),
      readdirSync(join(folder.path, '.deployfile/backups')),
    ]
    const before = folders()
    const streaming = {
      ...options,
      options: { restore: { stream: true } },
      answer: ({ answer }: Question) => answer,
    }
    const dry = await project({ ...streaming, dryRun: true })(['staging', 'db:backup:restore_from_prod'])
    expect(dry.outcome.status, JSON.stringify(dry.outcome.failures)).toBe('done')
    expect(dry.questions).toEqual([])
    expect(dry.logs.at(-1)).toMatch(
      /^would restore a dump of production's, as it comes, onto shop_staging on staging1 \(/,
    )
    expect(await other.psql('SELECT count(*) FROM orders', 'shop_staging')).toBe('0')
    const { outcome, questions, events, logs } = await project(streaming)([
      'staging',
      'db:backup:restore_from_prod',
    ])
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    expect(questions).toHaveLength(1)
    expect(logs.at(-1)).toMatch(/^copied shop_production into shop_staging in .*; no file was kept$/)
    expect(await other.psql(rows, 'shop_staging')).toBe(await production.psql(rows, 'shop_production'))
    expect(folders()).toEqual(before)
    for (const { tmp } of [productionHost, stagingHost]) expect(readdirSync(tmp)).toEqual([])
    expect(JSON.stringify(events)).not.toContain(production.password)
    const ends = ['dump', 'fetch', 'restore_from_prod'].map(
      (name) => [...outcome.nodes].find(([id]) => id.startsWith(`db:backup:${name}@`))?.[1].status,
    )
    expect(ends).toEqual(['skipped', 'skipped', 'done'])
  })

  it('restores a file of this machine on the host, by its name', async () => {
    await other.psql('DELETE FROM orders', 'shop_staging')
    const name = readdirSync(join(folder.path, '.deployfile/backups')).find((one) => one.endsWith('.pgdump'))!
    const command = ['staging', 'db:backup:restore', { file: name }] as const
    const { outcome, questions } = await project({ ...options, answer: ({ answer }) => answer })(command)
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    expect(questions).toHaveLength(1)
    expect(questions[0]?.message).toMatch(/It gets the backup of production \(shop_production\) from 20/)
    expect(await other.psql('SELECT count(*) FROM orders', 'shop_staging')).toBe('1000')
    expect(backupsOn(stagingHost)).toEqual([])
  })

  it('an interrupt during the dump leaves no process and no file there', async () => {
    const holder = production
      .psql('BEGIN; LOCK TABLE orders; SELECT pg_sleep(20)', 'shop_production')
      .catch(() => 'ended')
    const before = backupsOn(productionHost)
    const stop = new AbortController()
    const running = project(options)(['dev', 'db:backup:restore_from_prod'], stop.signal)
    const waiting = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^LOCK' AND wait_event_type = 'Lock'"
    while ((await production.psql(waiting)) === '0') await new Promise((wake) => setTimeout(wake, 20))
    const seen = execFileSync('ps', ['axwwe', '-o', 'args'], { encoding: 'utf8' })
    expect(seen).toContain('pg_dump')
    // This process has it in its own environment, and hands that on to sshd only.
    const others = seen.split('\n').filter((line) => line.includes('pg_dump'))
    expect(others.join('\n').replaceAll(/TEST_SSH_PRODUCTION_PASSWORD=\S+/g, '')).not.toContain(
      production.password,
    )
    stop.abort()
    const { outcome } = await running
    expect(outcome.status).toBe('cancelled')
    expect(outcome.failures).toEqual([])
    expect(backupsOn(productionHost)).toEqual(before)
    expect(readdirSync(productionHost.tmp)).toEqual([])
    const gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'deployfile'"
    while ((await production.psql(gone)) !== '0') await new Promise((wake) => setTimeout(wake, 20))
    await production.psql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()",
    )
    expect(await holder).toBe('ended')
  })

  it('says in one line that production cannot be reached', async () => {
    await productionHost.stop()
    const { outcome, logs } = await project(options)(['dev', 'db:backup:restore_from_prod'])
    expect(outcome.status).toBe('failed')
    expect(outcome.failures).toHaveLength(1)
    expect(outcome.failures[0]?.problem).toMatchObject({ kind: 'check', code: 'HOST_UNREACHABLE' })
    expect(logs[0]).toContain('production could not be asked who it is')
    expect(await other.psql('SELECT count(*) FROM orders', 'shop_dev')).toBe('1000')
  })
})
