import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CommandEvent, Host, ShellProvider } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import {
  createBackup,
  downloadBackup,
  newStamp,
  parseDatabaseUrl,
  restoreFrom,
  uploadBackup,
  verifyBackup,
  type Site,
} from '@deployfile/postgres'
import { until } from '../../../test/e2e/command.ts'
import { startProxy } from '../../../test/servers/proxy.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { startSshd, type SshHost } from '../../../test/servers/sshd.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'
import { makeSample } from './sample.ts'
import { contentOf, elsewhere } from './site.ts'

const label = { application: 'app', stage: 'production' }

describe.runIf(servicesFound('postgres', 'sshd'))('backups on their way', { timeout: 120_000 }, () => {
  let server: PostgresServer
  let sshd: SshHost
  let folder: TempFolder
  let shells: ShellProvider
  beforeAll(async () => {
    server = await startPostgres()
    sshd = await startSshd({ name: 'db1' })
    folder = tempFolder('transfer')
    const [knownHosts, sshConfig] = ['known_hosts', 'ssh_config'].map((name) => join(folder.path, name)) as [
      string,
      string,
    ]
    writeFileSync(knownHosts, `${sshd.knownHostsLine}\n`)
    writeFileSync(sshConfig, sshd.sshConfig(knownHosts))
    shells = createShells({ root: folder.path, sshConfig })
    await makeSample(server, 'app_production')
    // Bytes that nothing makes smaller, so that a download takes its time.
    await server.psql(
      `CREATE TABLE files AS SELECT i, (SELECT string_agg(sha512((i * 1000 + n)::text::bytea), '') FROM generate_series(1, 500) n) AS bytes
       FROM generate_series(1, 600) i`,
      'app_production',
    )
    await server.psql('CREATE DATABASE app_dev')
  })
  afterAll(async () => {
    await shells.close()
    await Promise.all([server.stop(), sshd.stop()])
    await folder.remove()
  })

  interface Watched extends Site {
    readonly events: CommandEvent[]
    readonly logs: string[]
    readonly controller: AbortController
  }
  function siteOf(database: string, transport: 'ssh' | 'local', from: ShellProvider = shells): Watched {
    const host: Host = {
      ...{ name: transport === 'ssh' ? 'db1' : 'here', stage: 'x', roles: ['db'], transport, address: 'db1' },
      ...{ primary: true, props: {} },
    }
    const controller = new AbortController()
    const events: CommandEvent[] = []
    const logs: string[] = []
    const { signal } = controller
    const emit = (event: CommandEvent): void => void events.push(event)
    return {
      ...{ shell: from.remote(host, { signal, emit }), signal, events, logs, controller },
      connection: parseDatabaseUrl(server.url(database)).connection,
      folder: transport === 'ssh' ? join(sshd.home, 'backups') : join(folder.path, 'backups'),
      log: (message) => logs.push(message),
      progress: () => undefined,
    }
  }
  /** The same host, by another port. */
  function shellsThrough(port: number): ShellProvider {
    const [knownHosts, sshConfig] = [join(folder.path, 'known_link'), join(folder.path, 'config_link')]
    writeFileSync(knownHosts, `${sshd.knownHostsLine.replace(String(sshd.port), String(port))}\n`)
    writeFileSync(
      sshConfig,
      sshd.sshConfig(knownHosts).replace(`Port ${String(sshd.port)}`, `Port ${String(port)}`),
    )
    return createShells({ root: folder.path, sshConfig })
  }
  const transfers = ({ events }: Watched): readonly number[] =>
    events.flatMap((event) => (event.type === 'transfer' ? [event.bytes] : []))

  it('go on where they were broken off, and are not taken for whole before', async () => {
    const there = siteOf('app_production', 'ssh')
    const made = await createBackup(there, label, newStamp())
    expect(made.bytes).toBeGreaterThan(15e6)
    const here = join(folder.path, 'downloads')
    mkdirSync(here)
    const local = siteOf('app_dev', 'local')
    await using link = await startProxy(sshd.port)
    const through = shellsThrough(link.port)
    const half = made.bytes / 2
    link.breakAfter('down', half, 'stall')
    const broken = siteOf('app_production', 'ssh', through)
    const download = downloadBackup(broken, local.shell, made, here)
    const failed = expect(download).rejects.toMatchObject({ code: 'COMMAND_CANCELLED' })
    await until('half of it has come', () => link.passed.down >= half)
    broken.controller.abort()
    link.breakNow('reset')
    await failed
    await through.close()
    expect(readdirSync(here).filter((name) => /\.pgdump(\.json)?$/.test(name))).toEqual([])

    const again = siteOf('app_production', 'ssh')
    const copy = await downloadBackup(again, local.shell, made, here)
    expect(Math.min(...transfers(again))).toBeGreaterThan(made.bytes / 4)
    expect(readFileSync(copy.file).equals(readFileSync(made.file))).toBe(true)
    expect(await verifyBackup(local, { file: copy.file, manifest: copy }, { deep: true })).toMatchObject({
      tables: 7,
    })
    expect(readdirSync(here).sort()).toEqual(
      [copy.file, `${copy.file}.json`].map((file) => file.slice(here.length + 1)),
    )

    const third = siteOf('app_production', 'ssh')
    await downloadBackup(third, local.shell, made, here)
    expect(third.logs).toEqual([`${copy.file.slice(here.length + 1)} is here already`])
    expect(transfers(third)).toEqual([])
  })

  it('go up with their manifest, once', async () => {
    const local = siteOf('app_production', 'local')
    const made = await createBackup(local, label, newStamp())
    const site = siteOf('app_production', 'ssh')
    const copy = await uploadBackup(site, made)
    expect(copy).toMatchObject({ on: 'db1', sha256: made.sha256 })
    expect(copy.file.startsWith(sshd.home)).toBe(true)
    expect(existsSync(`${copy.file}.json`)).toBe(true)
    await uploadBackup(site, made)
    expect(site.logs.at(-1)).toMatch(/is on db1 already$/)
  })

  it('are made there, brought here and restored by one call', async () => {
    await server.psql('DROP TABLE files', 'app_production')
    const from = siteOf('app_production', 'ssh')
    const to = siteOf('app_dev', 'local')
    const before = readdirSync(from.folder)
    const questions: string[] = []
    const { file } = await restoreFrom({
      ...{ from, to, local: to.shell, folder: to.folder, application: 'app' },
      ...{ fromStage: 'production', toStage: 'dev', production: elsewhere },
      choices: { railsEnvironment: 'production' },
      confirm: ({ answer }) => {
        questions.push(answer)
        return Promise.resolve()
      },
    })
    expect(await contentOf(server, 'app_dev')).toBe(await contentOf(server, 'app_production'))
    expect(questions).toEqual([])
    expect(existsSync(`${file}.json`)).toBe(true)
    // The copy that is kept is the one here.
    expect(readdirSync(from.folder)).toEqual(before)
  })
})
