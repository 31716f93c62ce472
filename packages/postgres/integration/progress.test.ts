import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackup, newStamp, restoreBackup, verifyBackup, type Backup } from '@deployfile/postgres'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { elsewhere, testSite, type TestSite } from './site.ts'

const label = { application: 'app', stage: 'production' }

describe.runIf(servicesFound('postgres'))('how far it is', { timeout: 60_000 }, () => {
  let server: PostgresServer
  let folder: TempFolder
  let backup: Backup
  beforeAll(async () => {
    server = await startPostgres()
    folder = tempFolder('progress')
    await server.psql('CREATE DATABASE app_production')
    // Where the role exists, each restored row takes its time.
    await server.psql(
      `CREATE FUNCTION slow(id int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
         IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'slowly') THEN PERFORM pg_catalog.pg_sleep(0.02); END IF;
         RETURN true; END $$;
       CREATE TABLE orders (id int PRIMARY KEY CHECK (slow(id))); INSERT INTO orders SELECT generate_series(1, 110);
       CREATE TABLE names AS SELECT 'x' AS name; CREATE INDEX ON names (name)`,
      'app_production',
    )
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  const siteOf = (database: string, as: 'local' | 'ssh' = 'local'): TestSite =>
    testSite({ url: server.url(database), root: folder.path, as })

  it('of a dump: bytes of the file, of a guess that is called so', async () => {
    const holder = server.psql('BEGIN; LOCK TABLE orders; SELECT pg_sleep(1.8)', 'app_production')
    const site = siteOf('app_production')
    await expect
      .poll(() =>
        server.psql("SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass", 'app_production'),
      )
      .not.toBe('0')
    backup = await createBackup(site, label, newStamp())
    await holder
    const [seen] = site.progressed
    expect(seen?.[2]).toEqual({ what: 'dump', unit: 'bytes', estimated: true })
    expect(seen?.[0]).toBeLessThan(seen?.[1] ?? 0)
  })

  for (const as of ['local', 'ssh'] as const) {
    it(`of a restore: entries of all, and the rows that are being copied (${as})`, async () => {
      await server.psql('CREATE ROLE slowly')
      const site = siteOf(`dev_${as}`, as)
      await restoreBackup(site, {
        ...{ backup: { file: backup.file, manifest: backup }, stage: 'dev', production: elsewhere },
        ...{ stamp: newStamp(), confirm: () => Promise.resolve() },
      })
      await server.psql('DROP ROLE slowly')
      const seen = site.progressed.filter(([, , facts]) => facts?.what === 'restore')
      expect(seen.length).toBeGreaterThan(0)
      for (const [done, total, facts] of seen) {
        expect(total).toBe(backup.tocEntries)
        expect(done).toBeGreaterThanOrEqual(3)
        expect(done).toBeLessThan(backup.tocEntries)
        expect(facts?.unit).toBe('entries')
      }
      expect(seen.map(([, , facts]) => facts?.note).join('\n')).toMatch(
        /^\d+(\.\d)? [kM]B on the server, \d+ rows into the table at work$/m,
      )
      expect(site.logs.at(-1)).toMatch(
        /^restored app_production_\S+ into dev_\w+ in \d+(\.\d)? s: \d.* kB, 2 tables, sha256 [0-9a-f]{64}$/,
      )
      expect(execFileSync('ls', [site.folder], { encoding: 'utf8' })).not.toMatch(/\.(list|log)/)
    })
  }

  it('of a hash: bytes of the file that were read', async () => {
    const programs = join(folder.path, 'programs')
    mkdirSync(programs)
    // Reads the first bytes, waits, and reads the rest.
    writeFileSync(
      join(programs, 'sha256sum'),
      `#!/bin/sh\nPATH=\${PATH#*:}\n{ dd bs=512 count=1 2>/dev/null; sleep 1.4; cat; } | sha256sum\n`,
    )
    chmodSync(join(programs, 'sha256sum'), 0o755)
    const path = process.env.PATH
    process.env.PATH = `${programs}:${path ?? ''}`
    try {
      const site = siteOf('app_production')
      await verifyBackup(site, { file: backup.file, manifest: backup })
      expect(site.progressed).toEqual([[512, backup.bytes, { what: 'sha256', unit: 'bytes' }]])
    } finally {
      process.env.PATH = path
    }
  })

  it('of nothing that is done at once', async () => {
    const site = siteOf('app_production')
    await verifyBackup(site, { file: backup.file, manifest: backup })
    expect(site.progressed).toEqual([])
  })
})
