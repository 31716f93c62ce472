import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type PostgresServer } from '../servers/postgres.ts'
import { servicesFound } from '../servers/service.ts'
import { tempFolder, type TempFolder } from '../servers/temp.ts'
import { start, type Ended } from './command.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const BIN = here('../../packages/deployfile/bin/deployfile.js')

describe.runIf(servicesFound('postgres'))('a backup of production by cron', () => {
  let server: PostgresServer
  let folder: TempFolder
  beforeAll(async () => {
    server = await startPostgres()
    folder = tempFolder('cron')
    await server.psql('CREATE DATABASE shop')
    await server.psql('CREATE TABLE orders AS SELECT generate_series(1, 100) AS id', 'shop')
    mkdirSync(join(folder.path, 'node_modules'))
    symlinkSync(here('../../packages/deployfile'), join(folder.path, 'node_modules/deployfile'))
    writeFileSync(
      join(folder.path, 'deploy.config.mjs'),
      `import { defineConfig } from 'deployfile'
import { postgres } from 'deployfile/recipes'
const hosts = { db1: { transport: 'local', roles: ['db'] } }
export default defineConfig({
  stages: { production: { protected: true, hosts }, gone: { hosts } },
  use: [postgres({
    databases: { production: '${server.url('shop')}', gone: 'postgresql://postgres@127.0.0.1:1/gone' },
    from: 'production', application: 'shop', keep: { last: 1 },
  })],
})
`,
    )
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  /** As cron starts a command, and with less: no terminal, no HOME, no USER, a PATH of two folders. */
  const cron = (...words: readonly string[]): Promise<Ended> =>
    start(process.execPath, [BIN, ...words], { cwd: folder.path, env: { PATH: '/usr/bin:/bin' } }).ended
  const folderOfBackups = (): string => join(folder.path, '.deployfile/backups')

  test('is made without a question, and the mail says what there is to know', async () => {
    const ended = await cron('production', 'db:backup:create')
    expect(ended, ended.output).toMatchObject({ code: 0, stderr: '' })
    const [name = 'none'] = readdirSync(folderOfBackups())
    expect(existsSync(join(folderOfBackups(), `${name}.json`))).toBe(true)
    const lines = ended.stdout.split('\n')
    expect(lines[0]).toMatch(/^production: db:backup:create {2}on db1$/)
    expect(ended.stdout).toMatch(/ dumped shop in \d+(\.\d)? s: \d\S* k?B, 1 table, sha256 [0-9a-f]{64}\n/)
    expect(ended.stdout).toContain(`db1: ${join(folderOfBackups(), name)} on db1\n`)
    // Neither colours nor a cursor that moves, which a mail would show as they are.
    expect(ended.output).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/)
  })

  test('that fails says why and what to do, and its exit code is not 0', async () => {
    const ended = await cron('gone', 'db:backup:create')
    expect(ended.code, ended.output).toBe(3)
    expect(ended.output).toContain('db1 cannot connect to the database gone')
    expect(ended.output).toContain('Try it there: psql -h 127.0.0.1 -p 1 -U postgres gone')
  })

  test('what would have to ask does not wait for an answer: it says what to add', async () => {
    const ended = await cron('production', 'db:backup:prune')
    expect(ended.code, ended.output).toBe(3)
    expect(ended.output).toContain('--yes')
    const answered = await cron('production', 'db:backup:prune', '--yes', '--quiet')
    expect(answered, answered.output).toMatchObject({ code: 0, output: '' })
  })
})
