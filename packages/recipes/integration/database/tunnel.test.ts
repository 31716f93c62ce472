import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secret, type Host, type HostSpec } from '@deployfile/core'
import type { Backup } from '@deployfile/postgres'
import { postgres } from '@deployfile/recipes'
import { createShells } from '@deployfile/shell'
import { startPostgres, type PostgresServer } from '../../../../test/servers/postgres.ts'
import { servicesFound } from '../../../../test/servers/service.ts'
import { startSshd, type SshHost } from '../../../../test/servers/sshd.ts'
import { tempFolder, type TempFolder } from '../../../../test/servers/temp.ts'
import { project, type ProjectOptions, type ProjectRun } from './project.ts'

describe.runIf(servicesFound('postgres', 'sshd'))("databases with via: 'tunnel'", () => {
  let production: PostgresServer
  let other: PostgresServer
  let host: SshHost
  let folder: TempFolder
  let options: ProjectOptions
  beforeAll(async () => {
    ;[production, other] = await Promise.all([startPostgres({ auth: 'scram' }), startPostgres()])
    folder = tempFolder('database-tunnel')
    host = await startSshd({ name: 'gate' })
    process.env.TEST_TUNNEL_PASSWORD = production.password
    await production.psql('CREATE DATABASE shop_production')
    await production.psql(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT i, 'order ' || i FROM generate_series(1, 1000) i",
      'shop_production',
    )
    for (const name of ['shop_dev', 'shop_staging']) await other.psql(`CREATE DATABASE ${name}`)
    const knownHosts = join(folder.path, 'known_hosts')
    writeFileSync(knownHosts, `${host.knownHostsLine}\n`)
    const sshConfig = join(folder.path, 'ssh_config')
    writeFileSync(sshConfig, host.sshConfig(knownHosts))
    const gate: HostSpec = { roles: ['db'], address: 'gate' }
    options = {
      ...{ root: folder.path, sshConfig, hosts: { staging: gate, production: gate } },
      databases: {
        dev: other.url('shop_dev'),
        staging: { url: other.url('shop_staging'), via: 'tunnel' },
        production: {
          url: production.url('shop_production'),
          password: secret.env('TEST_TUNNEL_PASSWORD'),
          via: 'tunnel',
        },
      },
    }
  })
  afterAll(async () => {
    delete process.env.TEST_TUNNEL_PASSWORD
    await Promise.all([production.stop(), other.stop(), host.stop()])
    await folder.remove()
  })
  const rows = 'SELECT * FROM orders ORDER BY id'
  const here = (): string[] => readdirSync(join(folder.path, '.deployfile/backups')).sort()
  const nothingThere = (): void => {
    expect(existsSync(join(host.home, '.deployfile'))).toBe(false)
    expect(readdirSync(host.tmp)).toEqual([])
  }
  const done = ({ outcome }: ProjectRun): void => {
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
  }

  it('are backed up into the folder here, where list, verify and download find it', async () => {
    const run = project(options)
    const made = await run(['production', 'db:backup:create'])
    done(made)
    const { file, host: reached, on } = made.result('db:backup:create') as Backup
    expect([reached, on]).toEqual(['db1', 'localhost'])
    expect(here()).toEqual([file, `${file}.json`].map((path) => path.split('/').at(-1)))
    const listed = await run(['production', 'db:backup:list'])
    expect(listed.result('db:backup:list')).toMatchObject([{ file, status: 'done' }])
    done(await run(['production', 'db:backup:verify', { deep: 'true' }]))
    expect((await run(['production', 'db:backup:download'])).result('db:backup:download')).toMatchObject({
      file,
    })
    nothingThere()
    expect(JSON.stringify([made.events, listed.events])).not.toContain(production.password)
  })

  it('are restored from a file here, and opened by doctor after a restore that was killed in its swap', async () => {
    const restored = await project({ ...options, answer: ({ answer }) => answer })([
      'staging',
      'db:backup:restore',
      { file: 'latest' },
    ])
    done(restored)
    // Its host is another one, wherever the programs run.
    expect(restored.questions).toMatchObject([{ answer: 'shop_staging' }])
    expect(await other.psql(rows, 'shop_staging')).toBe(await production.psql(rows, 'shop_production'))
    nothingThere()
    const [system = '', oid = ''] = (
      await other.psql(
        "SELECT system_identifier, oid FROM pg_control_system(), pg_database WHERE datname = 'shop_staging'",
      )
    ).split('|')
    await other.psql('ALTER DATABASE shop_staging ALLOW_CONNECTIONS false')
    const record = join(folder.path, `.deployfile/backups/closed_${system}_${oid}.json`)
    writeFileSync(record, JSON.stringify({ v: 1, system, oid: Number(oid), database: 'shop_staging' }))
    const shells = createShells({ root: folder.path, sshConfig: options.sshConfig! })
    try {
      const { spec } = postgres({ databases: options.databases, from: 'production' }).tasks.list['~task']
      const scope = { signal: new AbortController().signal, emit: () => undefined }
      const stage = { name: 'staging', protected: false }
      const gate: Host = {
        ...{ name: 'staging1', stage: 'staging', roles: ['db'], transport: 'ssh', address: 'gate' },
        ...{ primary: true, props: {} },
      }
      const found = await spec.doctor!({
        ...{ task: 'db:backup:list', stage, root: folder.path, signal: scope.signal },
        ...{ remote: shells.remote(gate, scope), local: shells.local(scope) },
      })
      expect(found).toMatchObject([{ what: 'shop_staging', state: 'doubtful' }])
    } finally {
      await shells.close()
    }
    expect(await other.psql('SELECT 1', 'shop_staging')).toBe('1')
    expect(existsSync(record)).toBe(false)
  })

  it('give their copy to a database of this machine, which asks nothing', async () => {
    const { outcome, questions } = await project(options)(['dev', 'db:backup:restore_from_prod'])
    expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
    expect(questions).toEqual([])
    expect(await other.psql(rows, 'shop_dev')).toBe(await production.psql(rows, 'shop_production'))
    expect(await other.psql("SELECT datname FROM pg_database WHERE datname ~ '_restore_'")).toBe('')
  })

  it('while they are dumped no command of ours has the password, and an interrupt leaves no file and no session', async () => {
    const holder = production
      .psql('BEGIN; LOCK TABLE orders; SELECT pg_sleep(60)', 'shop_production')
      .catch(() => 'ended')
    const before = here()
    const stop = new AbortController()
    const running = project(options)(['dev', 'db:backup:restore_from_prod'], stop.signal)
    const waiting = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^LOCK' AND wait_event_type = 'Lock'"
    await expect.poll(() => production.psql(waiting), { timeout: 20_000 }).toBe('1')
    const commands = commandsBelow(process.pid)
    expect(commands).toContainEqual(expect.stringMatching(/pg_dump.*shop_production/s))
    expect(commands.filter((command) => command.includes(production.password!))).toEqual([])
    stop.abort()
    const { outcome } = await running
    expect(outcome.status).toBe('cancelled')
    expect(here()).toEqual(before)
    const ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'deployfile'"
    await expect.poll(() => production.psql(ours), { timeout: 20_000 }).toBe('0')
    await production.psql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()",
    )
    expect(await holder).toBe('ended')
  })
})

/** The command lines of all processes that a process has started, and of those that these have. */
function commandsBelow(pid: number): readonly string[] {
  const tasks = `/proc/${pid}/task`
  const threads = existsSync(tasks) ? readdirSync(tasks) : []
  const children = threads.flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' '))
  return children
    .filter((child) => child !== '')
    .flatMap((child) => [
      read(`/proc/${child}/cmdline`).replaceAll('\0', ' '),
      ...commandsBelow(Number(child)),
    ])
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
