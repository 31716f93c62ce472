import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { libraryDump, type LibraryCall } from '../src/client/library.ts'
import { parseDatabaseUrl } from '../src/connection/url.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder, type TempFolder } from '../../../test/servers/temp.ts'

describe.runIf(servicesFound('postgres'))('the package pg-dump-restore, in the safe way', () => {
  let server: PostgresServer
  let folder: TempFolder
  beforeAll(async () => {
    server = await startPostgres({ auth: 'scram' })
    folder = tempFolder('library')
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })
  let files = 0
  async function dump(url: string, more: Partial<LibraryCall> = {}): Promise<unknown> {
    const { connection } = parseDatabaseUrl(url)
    const file = join(folder.path, `${++files}.part`)
    writeFileSync(file, '', { mode: 0o600 })
    const call = {
      connection,
      programs: server.bin,
      readOnly: true,
      signal: new AbortController().signal,
      ...more,
    }
    return libraryDump(call, file, '1').then(
      () => 'dumped',
      (error: unknown) => error,
    )
  }

  it('does not wait for a password that nobody will type', async () => {
    expect(String(await dump(server.url()))).toContain('password authentication failed')
  })

  it('tells a wrong password from the right one, and neither to anybody', async () => {
    const error = (await dump(server.url(), { password: 'not:this\\one' })) as Error
    expect(error.message).toContain('password authentication failed')
    expect(`${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain('not:this')
    expect(await dump(server.url(), { password: server.password! })).toBe('dumped')
  })

  it('goes through a socket, also one whose folder needs encoding, and by IPv6 brackets', async () => {
    const password = server.password!
    const socket = `postgresql://postgres@${encodeURIComponent(server.socketDir)}:${server.port}/postgres`
    expect(await dump(socket, { password })).toBe('dumped')
    expect(String(await dump('postgresql://postgres@[::1]:1/postgres'))).toContain('"::1", port 1')
  })

  it('leaves the environment of this process as it was', async () => {
    process.env.PGAPPNAME = 'mine'
    process.env.PGPASSWORD = 'theirs'
    try {
      const running = dump(server.url(), { password: server.password! })
      expect(process.env.PGAPPNAME).toBe('mine')
      expect(process.env.PGPASSFILE).toBeUndefined()
      expect(process.env.PGPASSWORD).toBe('theirs')
      expect(await running).toBe('dumped')
    } finally {
      delete process.env.PGAPPNAME
      delete process.env.PGPASSWORD
    }
  })
})
