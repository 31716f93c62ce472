import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts'
import { servicesFound } from '../../servers/service.ts'

describe.runIf(servicesFound('postgres'))('a PostgreSQL server of a test', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  it('answers on its own port of the loopback address', async () => {
    expect(await server.psql('show port')).toBe(String(server.port))
    expect(await server.psql('show listen_addresses')).toBe('127.0.0.1')
  })

  it('makes databases that its url leads to', async () => {
    await server.psql('create database shop')
    await server.psql("create table fruit (name text); insert into fruit values ('pear'), ('fig')", 'shop')
    expect(await server.psql('select name from fruit order by 1', 'shop')).toBe('fig\npear')
    expect(server.url('shop')).toBe(`postgresql://postgres@127.0.0.1:${server.port}/shop`)
  })

  it('takes a name with every kind of sign for a name', async () => {
    const name = `it's "odd"?host=evil&x=1 dbname=y`
    await server.psql(`create database "${name.replaceAll('"', '""')}"`)
    expect(await server.psql('select current_database()', name)).toBe(name)
  })

  it('rejects with the message of the server', async () => {
    await expect(server.psql('select * from nowhere')).rejects.toThrow('relation "nowhere" does not exist')
  })

  it('runs side by side with another one, which is gone with its folder when stopped', async () => {
    const second = await startPostgres()
    expect(second.port).not.toBe(server.port)
    expect(await second.psql('select 1')).toBe('1')
    await second.stop()
    expect(() => process.kill(second.pid, 0)).toThrow('ESRCH')
    expect(existsSync(second.dataDir)).toBe(false)
    await second.stop()
  })
})

describe.runIf(servicesFound('postgres'))('a PostgreSQL server with passwords', () => {
  it('lets in only who knows the password', async () => {
    await using server = await startPostgres({ auth: 'scram' })
    expect(server.password).toMatch(/^[0-9a-f]{24}$/)
    expect(await server.psql('select 1')).toBe('1')
    const stranger = promisify(execFile)(
      `${server.bin}/psql`,
      ['--no-password', server.url(), '-c', 'select 1'],
      {
        env: { LC_ALL: 'C', PGPASSFILE: '/dev/null' },
      },
    )
    await expect(stranger).rejects.toThrow('no password supplied')
  })
})
