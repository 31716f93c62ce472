import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { CommandEvent, Host, Shell } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import type { Connection as ServerSide } from 'ssh2'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { type Proxy, startProxy } from '../../../test/servers/proxy.ts'
import { fingerprintOf, makeDesk, shellTo, startServer } from './ssh-server.ts'

// internal-sftp starts in the real home; all paths of these tests are absolute.
describe.runIf(servicesFound('sshd'))(
  'a login that may transfer files and nothing else (ForceCommand internal-sftp)',
  () => {
    let site: Site
    let proxy: Proxy
    let shell: Shell
    let host: Host
    const events: CommandEvent[] = []
    let there = ''
    beforeAll(async () => {
      site = await startSite({ config: ['ForceCommand internal-sftp'] })
      proxy = await startProxy(site.sshd.port)
      host = hostNamed('web1', { port: proxy.port, hostKey: [site.sshd.hostKeyFingerprint] })
      there = site.sshd.home
      shell = shellOf(site.shells, host, undefined, (event) => events.push(event))
    })
    afterAll(async () => {
      await proxy[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    })
    beforeEach(() => (events.length = 0))
    const left = (name: string): string[] => readdirSync(there).filter((entry) => entry.includes(name))

    test('a command is refused in words, at once', async () => {
      const problem = await problemOf(shell.sh`true`)
      expect(problem).toMatchObject({ code: 'LOGIN_SHELL', kind: 'check' })
      expect(problem.message).toContain('This service allows sftp connections only')
    })

    test('files are written, read, replaced and removed', async () => {
      const path = join(there, 'a file')
      expect(await shell.exists(path)).toBe(false)
      await shell.writeFile(path, 'one')
      await shell.writeFile(path, Buffer.from([0, 255, 10]), { mode: 0o640 })
      expect(readFileSync(path)).toEqual(Buffer.from([0, 255, 10]))
      expect(statSync(path).mode & 0o7777).toBe(0o640)
      await shell.writeFile(path, 'héllo')
      expect(statSync(path).mode & 0o7777).toBe(0o644)
      expect(await shell.readFile(path)).toBe('héllo')
      await shell.writeFile(`${path}.empty`, '')
      expect(statSync(`${path}.empty`).size).toBe(0)
      expect(await shell.exists(path)).toBe(true)
      await shell.rename(path, join(there, 'moved'))
      expect(left('moved')).toEqual(['moved'])
      await shell.remove(join(there, 'moved'))
      expect(left('moved')).toEqual([])
      await shell.remove(join(there, 'moved'))
    })

    test('folders and links', async () => {
      await shell.mkdir(join(there, 'm/n/o'), { mode: 0o700 })
      await shell.mkdir(join(there, 'm/n/o'))
      expect(statSync(join(there, 'm/n/o')).mode & 0o7777).toBe(0o700)
      expect(statSync(join(there, 'm')).isDirectory()).toBe(true)
      await shell.symlink('m/n', join(there, 'current'))
      await shell.symlink('m', join(there, 'current'))
      expect(readlinkSync(join(there, 'current'))).toBe('m')
      writeFileSync(join(there, 'm/n/file'), '')
      symlinkSync('/no/where', join(there, 'm/n/dangling'))
      await shell.with({ cwd: there }).remove('m')
      expect(readdirSync(there)).not.toContain('m')
      expect(lstatSync(join(there, 'current')).isSymbolicLink()).toBe(true)
    })

    test('a large file goes both ways with progress, checked, and nothing is beside it', async () => {
      const bytes = randomBytes(5_000_000)
      writeFileSync(join(site.here, 'big'), bytes)
      await shell.uploadFile('big', join(there, 'big'), { mode: 0o600 })
      expect(readFileSync(join(there, 'big')).equals(bytes)).toBe(true)
      expect(statSync(join(there, 'big')).mode & 0o7777).toBe(0o600)
      expect(await shell.downloadFile(join(there, 'big'), 'back/big')).toBe(bytes.length)
      expect(readFileSync(join(site.here, 'back/big')).equals(bytes)).toBe(true)
      expect([left('big'), readdirSync(join(site.here, 'back'))]).toEqual([['big'], ['big']])
      const told = events.filter((event) => event.type === 'transfer')
      expect(told.filter(({ bytes, total }) => bytes === total)).toHaveLength(2)
      expect(told.at(-1)?.bytes).toBe(bytes.length)
    })

    test.each<[string, (shell: Shell) => Promise<unknown>, string, string]>([
      [
        'a folder that is missing',
        (s) => s.writeFile(join(there, 'none/x'), 'x'),
        'FILE_MISSING',
        'none/x cannot be written: there is no such file or folder',
      ],
      [
        'a file that is missing',
        (s) => s.readFile(join(there, 'none')),
        'FILE_MISSING',
        'none cannot be read: there is no such file or folder',
      ],
      [
        'a download of nothing',
        (s) => s.downloadFile(join(there, 'none'), 'x'),
        'FILE_MISSING',
        'none cannot be read: there is no such file or folder',
      ],
      [
        'a folder in the way',
        (s) => s.writeFile(join(there, 'in-the-way'), 'x'),
        'WRONG_KIND',
        'in-the-way cannot be written: it is a folder',
      ],
      [
        'a folder to read',
        (s) => s.readFile(join(there, 'in-the-way')),
        'WRONG_KIND',
        'in-the-way cannot be read: it is a folder',
      ],
      [
        'a link to be',
        (s) => s.symlink('x', join(there, 'in-the-way')),
        'WRONG_KIND',
        'in-the-way cannot be written: it is a folder',
      ],
      [
        'what nobody may',
        (s) => s.writeFile('/sys/new', 'x'),
        'PERMISSION_DENIED',
        '/sys/new cannot be written: permission denied',
      ],
    ])('%s', async (_, work, code, message) => {
      mkdirSync(join(there, 'in-the-way'), { recursive: true })
      const problem = await problemOf(work(shell))
      expect([problem.code, problem.kind, problem.details.host]).toEqual([code, 'task', 'web1'])
      expect(problem.message.replace(`${there}/`, '')).toBe(`web1: ${message}`)
      expect(readdirSync(there).filter((name) => name.endsWith('.part'))).toEqual([])
    })

    test('what needs a shell says so', async () => {
      mkdirSync(join(site.here, 'tree'))
      for (const work of [
        shell.uploadDir('tree', join(there, 'tree')),
        shell.downloadDir(there, 'tree-back'),
        shell.with({ user: 'somebody' }).writeFile(join(there, 'x'), 'x'),
      ]) {
        const problem = await problemOf(work)
        expect(problem).toMatchObject({ code: 'NO_SHELL', kind: 'check' })
        expect(problem.message).toMatch(/^web1: to .+ needs a shell, and this login has SFTP only$/)
      }
      for (const path of ['', '/', '~', '..', '../x'])
        expect((await problemOf(shell.remove(path))).code).toBe('REMOVE_REFUSED')
    })

    test.each([8_000, 100_000, 1_000_000])(
      'a link that is cut after %i bytes leaves nothing',
      async (bytes) => {
        const content = randomBytes(2_000_000)
        writeFileSync(join(site.here, 'cut'), content)
        writeFileSync(join(there, 'source'), content)
        const shells = createShells({ root: site.here, sshConfig: site.config })
        const fresh = shellOf(shells, host)
        proxy.breakAfter('up', bytes, 'reset')
        expect(['CONNECTION_LOST', 'HOST_UNREACHABLE']).toContain(
          (await problemOf(fresh.uploadFile('cut', join(there, 'cut-there')))).code,
        )
        proxy.breakAfter('down', bytes, 'end')
        expect(['CONNECTION_LOST', 'HOST_UNREACHABLE']).toContain(
          (await problemOf(fresh.downloadFile(join(there, 'source'), 'cut-here'))).code,
        )
        proxy.mend()
        expect(left('cut-there').filter((name) => !name.startsWith('.'))).toEqual([])
        await fresh.exists(there)
        expect(left('cut-there')).toEqual([])
        expect(readdirSync(site.here).filter((name) => name.includes('cut-here'))).toEqual([])
        await shells.close()
      },
    )

    const root = process.getuid?.() === 0 && process.platform === 'linux'
    if (!root) console.warn('SKIPPED: a full disk needs root on Linux, to mount one')
    test.runIf(root)('a full disk is told as that', async () => {
      const disk = join(there, 'small')
      mkdirSync(disk)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'deployfile-test', disk])
      try {
        const problem = await problemOf(shell.writeFile(join(disk, 'x'), randomBytes(2_000_000)))
        expect(problem.code).toBe('NO_SPACE')
        expect(problem.message).toBe(`web1: ${disk}/x cannot be written: no space is left for it`)
        expect(readdirSync(disk)).toEqual([])
      } finally {
        execFileSync('umount', [disk])
      }
    })
  },
)

describe('a login with SFTP only, at the moment when a transfer begins', () => {
  const temp = tempFolder('sftp-begins')
  afterAll(() => temp.remove())

  /** A server that runs no command, and does this when file transfer is asked for. */
  const asking = async (act: (client: ServerSide) => void, signal?: AbortSignal) => {
    const server = await startServer(['ed25519'], {
      onSession: (client) => {
        client.on('session', (accept) => {
          const session = accept()
          session.on('exec', (acceptExec) => {
            const channel = acceptExec()
            channel.write('SFTP only\n')
            channel.exit(1)
            channel.end()
          })
          session.on('sftp', () => act(client))
        })
      },
    })
    const desk = makeDesk(temp.path, String(server.port))
    const way = { host: { hostKey: [fingerprintOf(server.publicKeys[0]!)] }, ...(signal && { signal }) }
    const { shell, close } = shellTo(server, desk, way)
    const problem = await problemOf(shell.writeFile('/tmp/never', 'x'))
    await close()
    await server.close()
    return problem
  }

  test('the link breaks: that is said, and not that there is no file transfer', async () => {
    const problem = await asking((client) => client.end())
    expect(problem).toMatchObject({ code: 'CONNECTION_LOST', kind: 'task', details: { host: 'web1' } })
    expect(problem.details.hint).toBe('What had not arrived whole has not got its name. Run it again.')
  })

  test('the run is stopped: it does not wait for the answer', async () => {
    const stop = new AbortController()
    const problem = await asking(() => stop.abort(), stop.signal)
    expect(problem).toMatchObject({ code: 'COMMAND_CANCELLED', kind: 'task', details: { host: 'web1' } })
  })
})
