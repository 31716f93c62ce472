import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackup, listBackups, newStamp, openTarget, restoreBackup } from '@deployfile/postgres'
import { swap, type SwapOrder } from '../src/restore/swap.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { behindBrokenLink, elsewhere, identityOf, testSite, type TestSite } from './site.ts'

const until = async (check: () => Promise<boolean>): Promise<void> => {
  while (!(await check())) await new Promise((wake) => setTimeout(wake, 20))
}

describe.runIf(servicesFound('postgres'))('the swap', () => {
  let server: PostgresServer
  let folder: TempFolder
  beforeAll(async () => {
    server = await startPostgres({ settings: { max_prepared_transactions: '2' } })
    folder = tempFolder('swap')
    await server.psql('CREATE DATABASE live')
    await server.psql('CREATE TABLE precious AS SELECT 1 AS one', 'live')
    await server.psql('CREATE DATABASE fresh')
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  const siteOf = (database: string): TestSite => testSite({ url: server.url(database), root: folder.path })
  const orderOf = async (fresh: string): Promise<SwapOrder> => ({
    closed: { v: 1, ...(await identityOf(server, 'live')), database: 'live' },
    fresh,
    old: 'live_old_20250101t000000000z_abcd',
  })
  const isOpen = () => server.psql("SELECT datallowconn FROM pg_database WHERE datname = 'live'")
  const records = () => readdirSync(siteOf('live').folder).filter((name) => name.startsWith('closed_'))

  it('that fails in its transaction leaves the live database under its name, and open', async () => {
    const site = siteOf('live')
    const backup = await createBackup(site, { application: 'app', stage: 'x' }, newStamp())
    expect(backup.tables).toBe(1)
    const { server: opened } = await openTarget(site, 'dev')
    await expect(swap(opened, await orderOf('never_made'))).rejects.toThrow('never_made')
    expect(await isOpen()).toBe('t')
    expect(await server.psql('SELECT one FROM precious', 'live')).toBe('1')
    expect(records()).toEqual([])
  })

  it('is not begun while a prepared transaction would block it', async () => {
    await server.psql("BEGIN; INSERT INTO precious VALUES (2); PREPARE TRANSACTION 'stuck'", 'live')
    const site = siteOf('live')
    const backup = await createBackup(site, { application: 'app', stage: 'x' }, newStamp())
    const order = { stage: 'dev', production: elsewhere, stamp: newStamp(), confirm: () => Promise.resolve() }
    await expect(
      restoreBackup(site, { ...order, backup: { file: backup.file, manifest: backup } }),
    ).rejects.toMatchObject({
      code: 'DATABASE_PREPARED',
    })
    expect(await isOpen()).toBe('t')
    expect(records()).toEqual([])
  })

  it('that is killed while the database is closed is healed by the next command', async () => {
    const site = siteOf('live')
    const { server: opened } = await openTarget(site, 'dev')
    // The prepared transaction of the test before holds the rename, so that the kill always comes in time.
    const running = swap(opened, await orderOf('fresh')).then(
      () => 'swapped',
      () => 'stopped',
    )
    await until(async () => (await isOpen()) === 'f')
    site.abort()
    expect(await running).toBe('stopped')
    expect(await isOpen()).toBe('f')
    expect(records()).toHaveLength(1)
    await server.psql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'deployfile'",
    )

    const next = siteOf('live')
    await openTarget(next, 'dev')
    expect(await isOpen()).toBe('t')
    expect(records()).toEqual([])
    await server.psql("ROLLBACK PREPARED 'stuck'", 'live')
    expect(await server.psql('SELECT one FROM precious', 'live')).toBe('1')
  })

  describe('is done once both are renamed, whatever comes after', () => {
    const restore = async (site: TestSite, keepOld: number) => {
      const [newest] = (await listBackups(site.shell, site.folder)).done
      const order = {
        stage: 'dev',
        production: elsewhere,
        stamp: newStamp(),
        confirm: () => Promise.resolve(),
      }
      return restoreBackup(site, {
        ...order,
        backup: { file: newest!.file, manifest: newest },
        choices: { keepOld },
      })
    }
    const olds = () =>
      server.psql(
        "SELECT datname, datallowconn FROM pg_database WHERE datname ~ '^live_old_' ORDER BY datname",
      )
    const oid = async (): Promise<number> => (await identityOf(server, 'live')).oid

    it('the link breaks before the old database is dropped: it is named, and the next restore drops it', async () => {
      const before = await oid()
      const site = behindBrokenLink(siteOf('live'), /DROP DATABASE/)
      const { kept } = await restore(site, 0)
      expect(await oid()).not.toBe(before)
      expect(await isOpen()).toBe('t')
      expect(await olds()).toBe(`${kept ?? ''}|f`)
      expect(site.logs.join('\n')).toContain(
        `warning: live is restored, but what was live before stays on the server as ${kept ?? ''}, closed to connections: ` +
          `db1: the connection was lost. The next restore puts that right; or drop it yourself: DROP DATABASE "${kept ?? ''}"`,
      )
      expect(site.logs.some((line) => line.startsWith('restored '))).toBe(true)

      expect((await restore(siteOf('live'), 0)).kept).toBeUndefined()
      expect(await olds()).toBe('')
    })

    it('the link breaks before the old database is opened: the next restore opens it when it is still to be kept', async () => {
      const { kept: first } = await restore(
        behindBrokenLink(siteOf('live'), /"live_old_.*ALLOW_CONNECTIONS true/),
        2,
      )
      expect(await olds()).toBe(`${first ?? ''}|f`)
      const { kept: second } = await restore(siteOf('live'), 2)
      expect(await olds()).toBe(`${first ?? ''}|t\n${second ?? ''}|t`)
      await restore(siteOf('live'), 0)
      expect(await olds()).toBe('')
    })

    it('the word of the commit is lost on the way: the server is asked who has the name', async () => {
      const before = await oid()
      const site = behindBrokenLink(siteOf('live'), /COMMIT;/, { when: 'after', once: true })
      await restore(site, 0)
      expect(await oid()).not.toBe(before)
      expect(await olds()).toBe('')
      expect(records()).toEqual([])
    })

    it('the link breaks for good at the commit: it has failed, what is live is open, the next command says no more of it', async () => {
      const before = await oid()
      const site = behindBrokenLink(siteOf('live'), /COMMIT;/)
      await expect(restore(site, 0)).rejects.toThrow('the connection was lost')
      expect(await oid()).toBe(before)
      expect(site.logs.join('\n')).toMatch(
        /warning: live may be closed to connections still \(.*\); the next db:backup:list/,
      )
      expect(records()).toHaveLength(1)
      await openTarget(siteOf('live'), 'dev')
      expect(await isOpen()).toBe('t')
      expect(records()).toEqual([])
      await restore(siteOf('live'), 0)
      expect(await server.psql("SELECT count(*) FROM pg_database WHERE datname ~ '_(restore|old)_'")).toBe(
        '0',
      )
    })
  })
})
