import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backup, RestoreResult } from '@deployfile/postgres'
import { startPostgres, type PostgresServer } from '../../../../test/servers/postgres.ts'
import { servicesFound } from '../../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../../test/servers/temp.ts'
import { project, type ProjectOptions } from './project.ts'

describe.runIf(servicesFound('postgres', 'gnupg'))(
  'what postgres() can be told',
  { timeout: 120_000 },
  () => {
    let production: PostgresServer
    let other: PostgresServer
    let folder: TempFolder
    beforeAll(async () => {
      ;[production, other] = await Promise.all([startPostgres(), startPostgres()])
      folder = tempFolder('database-options')
      await production.psql('CREATE DATABASE shop_production')
      await production.psql(
        "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT i, 'order ' || i FROM generate_series(1, 100) i",
        'shop_production',
      )
      for (const stage of ['dev', 'staging']) await other.psql(`CREATE DATABASE shop_${stage}`)
      await other.psql('CREATE TABLE mine AS SELECT 1 AS one', 'shop_staging')
    })
    afterAll(async () => {
      await Promise.all([production.stop(), other.stop()])
      await folder.remove()
    })
    const databases = (more: Record<string, string> = {}) => ({
      dev: other.url('shop_dev'),
      staging: other.url('shop_staging'),
      production: production.url('shop_production'),
      ...more,
    })
    const run = (more: Partial<ProjectOptions> = {}) =>
      project({ root: folder.path, databases: databases(), ...more })
    const backups = (): string => join(folder.path, '.deployfile/backups')

    it('a protected stage is no target either, whatever leads there', async () => {
      const dead = { staging: 'postgresql://postgres@127.0.0.1:1/shop_staging' }
      const unseen = await run({ protectedStage: 'staging', databases: databases(dead) })([
        'dev',
        'db:backup:restore_from_prod',
      ])
      expect(unseen.failure).toContain(
        'it is not known which database is staging (shop_staging): it cannot be reached',
      )
      for (const staging of [databases().staging, dead.staging]) {
        // Seen once, it is known also when it cannot be reached any more.
        const disguised = { dev: other.url('shop_staging').replace('127.0.0.1', 'localhost'), staging }
        const { outcome, failure } = await run({
          protectedStage: 'staging',
          databases: databases(disguised),
        })(['dev', 'db:backup:restore_from_prod'])
        expect(outcome.status).toBe('failed')
        expect(failure).toContain('is the one of staging; it is never restored onto')
      }
      expect(await other.psql('SELECT one FROM mine', 'shop_staging')).toBe('1')
    })

    describe('a store', () => {
      it('that is a command of gpg has the file and its manifest, and what it makes is the backup', async () => {
        const home = join(folder.path, 'gnupg')
        mkdirSync(home, { mode: 0o700 })
        const gpg = (...args: readonly string[]): string =>
          execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', ...args], { encoding: 'utf8' })
        try {
          gpg('--passphrase', '', '--quick-gen-key', 'backups@example.com', 'default', 'default', 'never')
          const store = `test -s "$MANIFEST"; gpg --homedir '${home}' --batch --quiet --encrypt --trust-model always --recipient backups@example.com --output "$FILE.gpg" "$FILE"`
          const { outcome, result, logs } = await run({ options: { store } })(['dev', 'db:backup:create'])
          expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
          const { file } = result('db:backup:create') as Backup
          gpg('--output', `${file}.again`, '--decrypt', `${file}.gpg`)
          expect(readFileSync(`${file}.again`).equals(readFileSync(file))).toBe(true)
          expect(readFileSync(`${file}.gpg`).includes('PGDMP')).toBe(false)
          expect(logs.join('\n')).toContain(`stored ${file.split('/').at(-1) ?? ''}`)
        } finally {
          execFileSync('gpgconf', ['--homedir', home, '--kill', 'all'])
        }
      })

      it('that is a function has both too; when it fails the backup stays, and it is said where', async () => {
        const seen: string[] = []
        const store = ({ file, manifest }: { file: string; manifest: string }): Promise<void> => {
          seen.push(file, manifest)
          return Promise.reject(new Error('the bucket is full'))
        }
        const { outcome } = await run({ options: { store } })(['dev', 'db:backup:create'])
        const [failure] = outcome.failures
        expect(failure?.problem).toMatchObject({
          code: 'BACKUP_NOT_STORED',
          message: 'the backup was made and could not be stored elsewhere: the bucket is full',
          hint: `It is whole, and is ${seen[0] ?? ''} on localhost.`,
        })
        expect(seen.map((file) => existsSync(file))).toEqual([true, true])
      })
    })

    it('verify proves the latest, and says what is wrong with a damaged one', async () => {
      const made = await run()(['dev', 'db:backup:create'])
      const { file } = made.result('db:backup:create') as Backup
      for (const inputs of [{}, { deep: 'true' }]) {
        const { outcome, logs } = await run()(['dev', 'db:backup:verify', inputs])
        expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
        expect(logs.at(-1)).toMatch(/ is whole \(.*\): .* tables, .* entries, sha256 [0-9a-f]{64}$/)
      }
      truncateSync(file, 100)
      const { outcome } = await run()(['dev', 'db:backup:verify', { file: file.split('/').at(-1) ?? '' }])
      expect(outcome.failures[0]?.problem).toMatchObject({ kind: 'check', code: 'BACKUP_DAMAGED' })
      rmSync(file)
    })

    it('prune follows what is typed, else the config', async () => {
      const keep = { keep: { last: 100 } }
      expect((await run({ options: keep })(['dev', 'db:backup:prune'])).logs.at(-1)).toMatch(/^0 removed/)
      await run()(['dev', 'db:backup:create'])
      const before = readdirSync(backups()).filter((name) => name.endsWith('.pgdump'))
      const { outcome, logs } = await run({ options: keep })(['dev', 'db:backup:prune', { last: '1' }])
      expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
      const after = readdirSync(backups()).filter((name) => name.endsWith('.pgdump'))
      expect(logs.at(-1)).toBe(`${before.length - after.length} removed, ${after.length} kept`)
      expect(after.length).toBeLessThan(before.length)
    })

    it('SQL in files is run in the restored database; a file that is not there is said before the dump', async () => {
      const options = { restore: { anonymize: { file: 'mask.sql' }, keepOld: 1 } }
      const missing = await run({ options })(['dev', 'db:backup:restore_from_prod'])
      expect(missing.failure).toContain(`there is no file ${join(folder.path, 'mask.sql')}`)
      expect(missing.logs.join()).not.toContain('dumping')
      writeFileSync(join(folder.path, 'mask.sql'), "UPDATE orders SET note = 'masked';\n")
      const { outcome, result } = await run({ options })(['dev', 'db:backup:restore_from_prod'])
      expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
      expect(await other.psql('SELECT DISTINCT note FROM orders', 'shop_dev')).toBe('masked')
      expect((result('db:backup:restore_from_prod') as RestoreResult).kept).toMatch(/^shop_dev_old_/)
      writeFileSync(join(folder.path, 'mask.sql'), 'UPDATE nothing SET note = NULL;\n')
      const failed = await run({ options })(['dev', 'db:backup:restore_from_prod'])
      expect(failed.failure).toContain('relation "nothing" does not exist')
      expect(failed.logs.join('\n')).toMatch(
        /without another dump: deployfile dev db:backup:restore file=shop_production_\S+\.pgdump$/m,
      )
    })

    it('recover brings production itself back from a file: asked by name, after a backup of what is live', async () => {
      const options = { recover: ['production'] as const }
      const made = await run()(['production', 'db:backup:create'])
      const { file } = made.result('db:backup:create') as Backup
      await production.psql('DELETE FROM orders WHERE id > 7', 'shop_production')
      const command = ['production', 'db:backup:restore', { file }] as const

      await expect(run()(command)).rejects.toMatchObject({ code: 'RESTORE_ONTO_PRODUCTION' })
      await expect(run({ options })(['production', 'db:backup:restore_from_prod'])).rejects.toMatchObject({
        code: 'RESTORE_ONTO_PRODUCTION',
      })
      const alone = await run({ options })(command)
      expect(alone.outcome.status).toBe('failed')
      expect(alone.questions[0]).toMatchObject({ answer: 'shop_production' })
      expect(await production.psql('SELECT count(*) FROM orders', 'shop_production')).toBe('7')

      const { outcome, result } = await run({ options, answer: ({ answer }) => answer })(command)
      expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
      expect(await production.psql('SELECT count(*) FROM orders', 'shop_production')).toBe('100')
      const { safety = 'none' } = result('db:backup:restore') as RestoreResult
      expect(safety).toContain('/shop_production_shop_production_')
      expect(existsSync(`${safety}.json`)).toBe(true)
    })
  },
)
