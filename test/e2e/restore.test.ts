import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import { contents, fillWithCustomers, psql } from './database.ts'
import { startWorld, type World } from './world.ts'

describe.runIf(servicesFound('sshd', 'postgres'))('moving databases', () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld({ databases: ['production', 'staging', 'dev'] })
    const ended = await world.deployfile('production', 'deploy:migrations', '--yes')
    expect(ended, ended.output).toMatchObject({ code: 0 })
    fillWithCustomers(world.databases.production)
  })
  afterAll(() => world.stop())

  const backupsOf = (stage: string): readonly string[] =>
    readdirSync(join(world.project, '.deployfile/backups')).filter(
      (name) => name.startsWith(`disastrously_${stage}_`) && name.endsWith('.pgdump'),
    )

  /** What a developer has: other tables, other rows. */
  function spoil(url: string): void {
    psql(
      url,
      `drop schema public cascade; create schema public;
     create table disasters (id int, gone_wrong text); insert into disasters values (1, 'mine')`,
    )
  }

  test('db:backup:restore_from_prod stage=dev leaves dev equal to production, row for row', async () => {
    spoil(world.databases.dev)
    const production = contents(world.databases.production)
    expect(Object.keys(production)).toEqual([
      'table disasters',
      'table reports',
      'table schema_migrations',
      'sequence disasters_id_seq',
      'sequence reports_id_seq',
    ])

    const ended = await world.deployfile('db:backup:restore_from_prod', 'stage=dev')

    expect(ended, ended.output).toMatchObject({ code: 0 })
    expect(contents(world.databases.dev)).toEqual(production)
    expect(contents(world.databases.production)).toEqual(production)
  })

  test('the backup that it took stays here, with its manifest', () => {
    const files = readdirSync(join(world.project, '.deployfile/backups'))
    const name = /^disastrously_production_disastrously_production_\d{8}T\d{9}Z_[0-9a-f]{4}\.pgdump$/
    const backups = files.filter((file) => name.test(file))
    expect(backups).toHaveLength(1)
    expect(files).toContain(`${backups[0] ?? ''}.json`)
    expect(files.filter((file) => file.endsWith('.part'))).toEqual([])
  })

  test('stage=staging asks for the name of that database; without it nothing is touched', async () => {
    spoil(world.databases.staging)
    const before = contents(world.databases.staging)

    const ended = await world.deployfile('db:backup:restore_from_prod', 'stage=staging', '--yes')

    expect(ended, ended.output).toMatchObject({ code: 3 })
    expect(ended.stderr).toContain('confirm=disastrously_staging')
    expect(contents(world.databases.staging)).toEqual(before)
  })

  test('with confirm=NAME staging is restored, over SSH', async () => {
    const production = contents(world.databases.production)

    const ended = await world.deployfile(
      'db:backup:restore_from_prod',
      'stage=staging',
      'confirm=disastrously_staging',
    )

    expect(ended, ended.output).toMatchObject({ code: 0 })
    expect(contents(world.databases.staging)).toEqual(production)
  })

  test('production is never a target', async () => {
    const before = contents(world.databases.production)

    const ended = await world.deployfile(
      ...['production', 'db:backup:restore_from_prod', '--yes', 'confirm=disastrously_production'],
    )

    expect(ended.code, ended.output).not.toBe(0)
    expect(ended.stderr).toMatch(/production/)
    expect(contents(world.databases.production)).toEqual(before)
  })

  test('db:backup:create and db:backup:restore bring a database back that was damaged in between', async () => {
    const good = contents(world.databases.dev)
    const created = await world.deployfile('db:backup:create')
    expect(created, created.output).toMatchObject({ code: 0 })
    const [file = 'none'] = backupsOf('dev')
    spoil(world.databases.dev)

    const ended = await world.deployfile('db:backup:restore', `file=${file}`)

    expect(ended, ended.output).toMatchObject({ code: 0 })
    expect(contents(world.databases.dev)).toEqual(good)
  })

  test('a backup of which something is missing is refused before the database is touched', async () => {
    const before = contents(world.databases.dev)
    const [file = 'none'] = backupsOf('dev')
    const path = join(world.project, '.deployfile/backups', file)
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, bytes.length - 1000))

    const ended = await world.deployfile('db:backup:restore', `file=${file}`)

    writeFileSync(path, bytes)
    expect(ended, ended.output).toMatchObject({ code: 3 })
    expect(ended.stderr).toContain(file)
    expect(contents(world.databases.dev)).toEqual(before)
  })

  test('a file that is no backup is refused, and so is one that is not there', async () => {
    const before = contents(world.databases.dev)
    writeFileSync(join(world.project, 'notes.pgdump'), 'buy milk\n')

    const wrong = await world.deployfile('db:backup:restore', 'file=notes.pgdump')
    const missing = await world.deployfile('db:backup:restore', 'file=nothing.pgdump')

    expect(wrong, wrong.output).toMatchObject({ code: 3 })
    expect(wrong.stderr).toContain('notes.pgdump')
    expect(missing, missing.output).toMatchObject({ code: 3 })
    expect(missing.stderr).toContain('nothing.pgdump')
    expect(contents(world.databases.dev)).toEqual(before)
  })

  test('nothing of the restores is left on the servers', () => {
    for (const url of Object.values(world.databases)) {
      const names = psql(
        url,
        "select datname from pg_database where datname like '%restore%' or datname like '%\\_old\\_%'",
      )
      // Staging keeps the database that it had, by default one.
      const allowed = url === world.databases.staging ? /^(disastrously_staging_old_\S+)?$/ : /^$/
      expect(names).toMatch(allowed)
    }
  })
})
