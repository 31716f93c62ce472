import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CommandEvent, Host, ShellProvider } from '@deployfile/core'
import {
  createBackup,
  newStamp,
  openServer,
  openTunnel,
  parseDatabaseUrl,
  restoreBackup,
  type Site,
} from '@deployfile/postgres'
import { createShells } from '@deployfile/shell'
import { startProxy, type Proxy } from '../../../test/servers/proxy.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { startSshd, type SshHost } from '../../../test/servers/sshd.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { query } from '../src/sql/query.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere } from './site.ts'
import { CERTIFICATE, KEY } from './tls.ts'

const label = { application: 'app', stage: 'production' }

describe.runIf(servicesFound('postgres', 'sshd'))('a database through a tunnel', { timeout: 120_000 }, () => {
  let server: PostgresServer
  let sshd: SshHost
  let link: Proxy
  let folder: TempFolder
  let shells: ShellProvider
  let open: () => ShellProvider
  beforeAll(async () => {
    server = await startPostgres({ auth: 'scram' })
    sshd = await startSshd({ name: 'db1' })
    link = await startProxy(sshd.port)
    folder = tempFolder('tunnel')
    const sshConfig = join(folder.path, 'ssh_config')
    writeFileSync(sshConfig, sshd.sshConfig('/dev/null'))
    open = () => createShells({ root: folder.path, sshConfig })
    shells = open()
    await makeSample(server, 'app_production')
    await server.psql('CREATE DATABASE app_dev')
    writeFileSync(join(server.dataDir, 'server.crt'), CERTIFICATE)
    writeFileSync(join(server.dataDir, 'server.key'), KEY, { mode: 0o600 })
    if (process.getuid?.() === 0)
      execFileSync('chown', [
        'nobody',
        join(server.dataDir, 'server.crt'),
        join(server.dataDir, 'server.key'),
      ])
  })
  afterEach(() => {
    link.mend()
    vi.unstubAllEnvs()
  })
  afterAll(async () => {
    await shells.close()
    await link[Symbol.asyncDispose]()
    await Promise.all([server.stop(), sshd.stop()])
    await folder.remove()
  })

  interface Through extends Site {
    readonly events: CommandEvent[]
    readonly tunnel: NonNullable<Site['tunnel']>
  }
  interface Way {
    /** What every command on the host gets. */
    readonly env?: Record<string, string>
    readonly provider?: ShellProvider
    readonly port?: number
  }
  async function siteOf(
    url: string,
    { env = {}, provider = shells, port = link.port }: Way = {},
  ): Promise<Through> {
    const host: Host = {
      ...{
        name: 'db1',
        stage: 'production',
        roles: ['db'],
        transport: 'ssh',
        address: 'db1',
        port,
      },
      ...{ primary: true, props: {}, hostKey: [sshd.hostKeyFingerprint] },
    }
    const events: CommandEvent[] = []
    const { signal } = new AbortController()
    const scope = { signal, emit: (event: CommandEvent) => void events.push(event) }
    const way = await openTunnel(provider.remote(host, scope).with({ env }), parseDatabaseUrl(url).connection)
    return {
      ...{ ...way, shell: provider.local(scope), events, signal, password: server.password },
      folder: join(folder.path, 'backups'),
      log: () => undefined,
      progress: () => undefined,
    }
  }
  const toApp = (database = 'app_production') => siteOf(server.url(database))

  it('is dumped and restored by the programs of this machine; the password is in no command', async () => {
    const site = await toApp()
    const made = await createBackup(site, label, newStamp())
    expect(made).toMatchObject({ host: 'db1', on: 'localhost' })
    const target = await toApp('app_dev')
    const result = await restoreBackup(target, {
      ...{ backup: { file: made.file, manifest: made }, stage: 'staging', production: elsewhere },
      ...{ stamp: newStamp(), choices: { railsEnvironment: 'production' } },
      // The host that reaches it is another one, wherever the programs run: so it is asked for.
      confirm: ({ answer }) => (answer === 'app_dev' ? Promise.resolve() : Promise.reject(new Error(answer))),
    })
    expect(result).toMatchObject({
      host: 'db1',
      strategy: 'swap',
      kept: expect.stringMatching(/_old_/) as string,
    })
    expect(await contentOf(server, 'app_dev')).toBe(await contentOf(server, 'app_production'))
    const events = [...site.events, ...target.events]
    expect(JSON.stringify(events)).not.toContain(server.password)
    expect(events.filter((event) => event.type === 'command.started' && event.host === 'db1')).toEqual([])
    expect(site.tunnel.failures()).toEqual([])
  })

  it('that is cut in the middle of a dump or a restore says so; no file stays, and what is live is as it was', async () => {
    await server.psql('CREATE DATABASE large')
    await server.psql(
      'CREATE TABLE files AS SELECT i, repeat(md5(i::text), 1000) AS text FROM generate_series(1, 400) i',
      'large',
    )
    const before = readdirSync(join(folder.path, 'backups'))
    const site = await toApp('large')
    link.breakAfter('down', link.passed.down + 4_000_000, 'reset')
    await expect(createBackup(site, label, newStamp())).rejects.toMatchObject({
      kind: 'task',
      code: 'TUNNEL_LOST',
      message: expect.stringMatching(
        /^pg_dump failed: the SSH tunnel through db1 to the database large was lost in the middle \(/,
      ) as string,
    })
    expect(readdirSync(join(folder.path, 'backups'))).toEqual(before)
    // The same site goes on when the link does.
    link.mend()
    const made = await createBackup(site, label, newStamp())
    const target = await toApp('app_dev')
    const live = await contentOf(server, 'app_dev')
    // New connections have as much before them: what is left of the restore is removed by one.
    link.breakAfter('up', link.passed.up + 4_000_000, 'reset')
    const restore = restoreBackup(target, {
      ...{ backup: { file: made.file, manifest: made }, stage: 'staging', production: elsewhere },
      ...{ stamp: newStamp(), confirm: () => Promise.resolve() },
    })
    await expect(restore).rejects.toMatchObject({
      kind: 'task',
      code: 'TUNNEL_LOST',
      message: expect.stringMatching(
        /^pg_restore failed: the SSH tunnel through db1 to the database app_dev was lost in the middle \(/,
      ) as string,
    })
    expect(await contentOf(server, 'app_dev')).toBe(live)
    expect(await server.psql("SELECT datname FROM pg_database WHERE datname ~ '_restore_'")).toBe('')
  })

  it('is found by what libpq would take on that host: socket, port and login', async () => {
    // Those of this machine lead elsewhere, and count for nothing.
    vi.stubEnv('PGHOSTADDR', '127.0.0.2')
    const env = { PGHOST: server.socketDir, PGPORT: String(server.port), PGUSER: 'postgres' }
    const site = await siteOf('postgresql:///app_production', { env })
    expect(site.tunnel.seen).toMatchObject({ host: server.socketDir, port: server.port, user: 'postgres' })
    const found = await openServer(site, { readOnly: true, databases: ['app_production'] })
    expect(await query(found, 'SELECT to_json(inet_client_addr() IS NULL)')).toEqual([true])
    await createBackup(site, label, newStamp())
    await expect(siteOf('postgresql:///app', { env: { PGPORT: '1' } })).rejects.toMatchObject({
      message: 'db1 has no socket of a PostgreSQL server on port 1 to reach app by',
    })
  })

  it('is spoken to with TLS where the URL insists on it, and checked by the name of the server', async () => {
    await server.psql('ALTER SYSTEM SET ssl = on')
    await server.psql('SELECT pg_reload_conf()')
    const root = join(folder.path, 'root.crt')
    writeFileSync(root, CERTIFICATE)
    const url = `postgresql://postgres@localhost:${server.port}/app_production?sslmode=verify-full&sslrootcert=`
    const site = await siteOf(url + encodeURIComponent(root))
    const found = await openServer(site, { readOnly: true, databases: ['app_production'] })
    const sql = 'SELECT to_json(ssl) FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    expect(await query(found, sql)).toEqual([true])
    // The package pg-dump-restore is told of the address by the environment.
    const { bytes } = await createBackup(site, label, newStamp())
    expect(bytes).toBeGreaterThan(0)
    const wrong = await siteOf(url.replace('localhost', '127.0.0.1') + encodeURIComponent(root))
    await expect(openServer(wrong, { readOnly: true, databases: ['app_production'] })).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringMatching(
        /^localhost cannot connect to the database app_production through db1: .*certificate/s,
      ) as string,
    })
  })

  it('that its host cannot reach is told as that host sees it', async () => {
    const site = await siteOf('postgresql://postgres@127.0.0.1:1/app')
    await expect(openServer(site, { readOnly: true, databases: ['app'] })).rejects.toMatchObject({
      kind: 'check',
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringMatching(
        /^db1 cannot connect to the database app at 127.0.0.1:1: .*refused/i,
      ) as string,
      details: {
        host: 'db1',
        hint: 'Check host and port in the URL of this database: they are as db1 sees them.',
      },
    })
  })

  it('through a host that is not to be reached fails as everything else on that host does', async () => {
    const site = await siteOf(server.url('app_production'), { port: 1 })
    await expect(openServer(site, { readOnly: true, databases: ['app_production'] })).rejects.toMatchObject({
      kind: 'check',
      code: 'HOST_UNREACHABLE',
      details: { host: 'db1' },
    })
  })

  it('with a wrong password says so', async () => {
    const site = { ...(await toApp()), password: 'wrong' }
    await expect(openServer(site, { readOnly: true, databases: ['app_production'] })).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringMatching(
        /^localhost cannot connect to the database app_production through db1: .*password authentication failed/s,
      ) as string,
    })
  })

  it('is closed with the run', async () => {
    const provider = open()
    const site = await siteOf(server.url('app_production'), { provider })
    await openServer(site, { readOnly: true, databases: ['app_production'] })
    const socket = site.connection.host!
    expect(existsSync(socket)).toBe(true)
    await provider.close()
    expect(existsSync(socket)).toBe(false)
  })
})
