import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { healSite, openServer } from '@deployfile/postgres'
import { closedRecords, recordClosed } from '../src/restore/closed.ts'
import { lockDatabase } from '../src/restore/lock.ts'
import type { Server } from '../src/sql/query.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { testSite, type TestSite } from './site.ts'

describe.runIf(servicesFound('postgres'))('the lock of a database', () => {
  let server: PostgresServer
  let folder: TempFolder
  beforeAll(async () => {
    server = await startPostgres({ settings: { idle_session_timeout: '500ms' } })
    folder = tempFolder('lock')
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  const open = async (): Promise<{ site: TestSite; opened: Server }> => {
    const site = testSite({ url: server.url('app'), root: folder.path })
    return { site, opened: await openServer(site, { readOnly: false, databases: ['postgres'] }) }
  }
  const locks = () => server.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")

  it('is had by one, and the other is told by whom', async () => {
    const { opened } = await open()
    const lock = await lockDatabase(opened, 'app')
    const other = await open()
    await expect(lockDatabase(other.opened, 'app')).rejects.toMatchObject({
      kind: 'check',
      code: 'RESTORE_RUNNING',
      message: expect.stringMatching(
        /^another restore of app is at work \(session \d+ of postgres from 127\.0\.0\.1, since \d{4}-/,
      ) as string,
    })
    const elsewhere = await lockDatabase(other.opened, `it's "another"`)
    await elsewhere.release()
    await lock.release()
    expect(await locks()).toBe('0')
    await (await lockDatabase(other.opened, 'app')).release()
  })

  it('outlives what the server does to idle sessions, and says when it was lost', async () => {
    const { opened } = await open()
    const lock = await lockDatabase(opened, 'app')
    // The server would have ended it twice by then.
    await server.psql('SELECT pg_sleep(0.45)')
    await server.psql('SELECT pg_sleep(0.45)')
    await server.psql('SELECT pg_sleep(0.45)')
    expect(await locks()).toBe('1')
    await lock.check()
    await server.psql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    await expect.poll(locks).toBe('0')
    await expect(lock.check()).rejects.toMatchObject({ code: 'RESTORE_LOCK_LOST' })
    await expect(lock.release()).rejects.toThrow('terminating connection')
  })

  it('leaves what its owner has closed alone, until that is over', async () => {
    const { site, opened } = await open()
    await server.psql('CREATE DATABASE app')
    const system = (await server.psql('SELECT system_identifier FROM pg_control_system()')).trim()
    const oid = Number(await server.psql("SELECT oid FROM pg_database WHERE datname = 'app'"))
    const isOpen = () => server.psql("SELECT datallowconn FROM pg_database WHERE datname = 'app'")
    mkdirSync(site.folder, { recursive: true })
    await recordClosed(site.shell, site.folder, { v: 1, system, oid, database: 'app' })
    await server.psql('ALTER DATABASE app WITH ALLOW_CONNECTIONS false')

    const lock = await lockDatabase(opened, 'app')
    const healed = healSite(site)
    // It looks at the lock every tenth of a second; a long look at the server is several of them.
    await server.psql('SELECT pg_sleep(0.5)')
    expect(await isOpen()).toBe('f')
    await lock.release()
    await healed
    expect(await isOpen()).toBe('t')
    expect(await closedRecords(site.shell, site.folder)).toEqual([])
  })

  it('is free again when whoever had it is aborted', async () => {
    const { site, opened } = await open()
    await lockDatabase(opened, 'app')
    expect(await locks()).toBe('1')
    site.abort()
    await expect.poll(locks, { timeout: 10_000 }).toBe('0')
  })
})
