import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandEvent, Host, Problem, Shell, ShellProvider } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { type Fault, type Proxy, startProxy } from '../../../test/servers/proxy.ts'

describe.runIf(servicesFound('sshd'))('files over a link that breaks', () => {
  let site: Site
  let proxy: Proxy
  let host: Host
  beforeAll(async () => {
    site = await startSite()
    proxy = await startProxy(site.sshd.port)
    host = hostNamed('web1', { port: proxy.port, hostKey: [site.sshd.hostKeyFingerprint] })
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })
  afterEach(() => proxy.mend())

  const there = (name: string): string[] =>
    readdirSync(site.sshd.home).filter((entry) => entry.includes(name))
  const here = (name: string): string[] => readdirSync(site.here).filter((entry) => entry.includes(name))
  /** With connections of its own, so that a cut falls at the same byte each time: nothing is connected yet. */
  const fresh = async <T>(
    work: (shell: Shell) => Promise<T>,
    emit?: (event: CommandEvent) => void,
  ): Promise<T> => {
    const shells = createShells({ root: site.here, sshConfig: site.config })
    try {
      return await work(shellOf(shells, host, undefined, emit))
    } finally {
      await shells.close()
    }
  }
  /** Whatever a cut does to the one who waits, it is told as a link that broke. */
  const settled = async (promise: Promise<unknown>): Promise<'resolved' | 'rejected'> => {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error === undefined) return 'resolved'
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(CONNECTION_LOST|HOST_UNREACHABLE|HANDSHAKE_FAILED)$/) as string,
    })
    return 'rejected'
  }

  // The handshake takes about 4 KB up and 3 KB down; the cuts fall into it, into the request, the content and its last bytes.
  const CONTENT = 300_000
  const cutsUp = [0, 1, 21, 1_000, 2_500, 3_500, 4_500, 6_000, 50_000, 299_000, 303_000, 304_500, 305_500]
  const faults: readonly Fault[] = ['reset', 'end']
  test.each(cutsUp.map((bytes, at) => [bytes, faults[at % 2] ?? 'end'] as const))(
    'an upload cut after %i bytes (%s) leaves nothing under the name, or all of it',
    async (bytes, fault) => {
      const content = randomBytes(CONTENT)
      const name = `upload-${String(bytes)}`
      writeFileSync(join(site.here, name), content)
      mkdirSync(join(site.here, `${name}-tree`))
      writeFileSync(join(site.here, `${name}-tree`, 'file'), content)
      const results: string[] = []
      for (const work of [
        (shell: Shell) => shell.uploadFile(name, `${name}-file`),
        (shell: Shell) => shell.uploadDir(`${name}-tree`, `${name}-there`),
        (shell: Shell) => shell.writeFile(`${name}-text`, content),
      ]) {
        proxy.breakAfter('up', bytes, fault)
        results.push(await settled(fresh(work)))
        proxy.mend()
      }
      // What has the name has the content.
      for (const path of [`${name}-file`, `${name}-text`, `${name}-there/file`]) {
        const found = tryRead(join(site.sshd.home, path))
        if (found) expect(found.equals(content)).toBe(true)
      }
      if (bytes < CONTENT) {
        expect(results).toEqual(['rejected', 'rejected', 'rejected'])
        expect(there(name).filter((entry) => !entry.startsWith('.'))).toEqual([])
      }
      // The other side cleans up after itself when it notices.
      await until(() => there(name).every((entry) => !entry.endsWith('.part')))
    },
  )

  const cutsDown = [
    0, 1, 1_000, 2_500, 3_300, 3_700, 4_000, 50_000, 100_000, 250_000, 302_000, 303_000, 304_000,
  ]
  test.each(cutsDown.map((bytes, at) => [bytes, faults[at % 2] ?? 'end'] as const))(
    'a download cut after %i bytes (%s), each time anew, leaves nothing here, or all of it',
    async (bytes, fault) => {
      const content = randomBytes(CONTENT)
      writeFileSync(join(site.sshd.home, 'source'), content)
      mkdirSync(join(site.sshd.home, 'source-tree'), { recursive: true })
      writeFileSync(join(site.sshd.home, 'source-tree/file'), content)
      const name = `download-${String(bytes)}`
      const results: string[] = []
      for (const work of [
        (shell: Shell) => shell.downloadFile('source', `${name}-file`),
        (shell: Shell) => shell.downloadDir('source-tree', `${name}-tree`),
      ]) {
        proxy.breakAfter('down', bytes, fault)
        results.push(await settled(fresh(work)))
        proxy.mend()
      }
      const expected = [`${name}-file`, `${name}-tree`].filter((_, at) => results[at] === 'resolved')
      expect(here(name)).toEqual(expected)
      for (const path of [`${name}-file`, `${name}-tree/file`]) {
        const found = tryRead(join(site.here, path))
        if (found) expect(found.equals(content)).toBe(true)
      }
      if (bytes < CONTENT) expect(results[1]).toBe('rejected')
      // A file continues where it was cut, as long as each attempt brings something.
      if (bytes >= 50_000) expect(results[0]).toBe('resolved')
    },
  )

  test('a download continues over ten links that break, and says how far it is all the time', async () => {
    const content = randomBytes(3_000_000)
    writeFileSync(join(site.sshd.home, 'long'), content)
    const before = proxy.connections
    proxy.breakAfter('down', 300_000, 'reset')
    const told: number[] = []
    const bytes = await fresh(
      (shell) => shell.downloadFile('long', 'long-here', { mode: 0o600 }),
      (event) => {
        if (event.type === 'transfer') told.push(event.bytes)
      },
    )
    expect(bytes).toBe(content.length)
    expect(readFileSync(join(site.here, 'long-here')).equals(content)).toBe(true)
    expect(here('long-here')).toEqual(['long-here'])
    expect(proxy.connections - before).toBeGreaterThanOrEqual(10)
    expect(told).toEqual([...told].sort((a, b) => a - b))
  })

  test('a file that changes while its download is cut is begun anew', async () => {
    const path = join(site.sshd.home, 'rewritten')
    writeFileSync(path, randomBytes(2_000_000))
    const content = randomBytes(1_500_000)
    proxy.breakAfter('down', 1_000_000, 'end')
    await fresh(
      (shell) => shell.downloadFile('rewritten', 'rewritten-here'),
      (event) => {
        if (event.type !== 'command.ended' || event.exitCode !== null) return
        writeFileSync(path, content)
        proxy.mend()
      },
    )
    expect(readFileSync(join(site.here, 'rewritten-here')).equals(content)).toBe(true)
    expect(here('rewritten-here')).toEqual(['rewritten-here'])
  })

  test('a host that is gone for good: says how far it came; with resume the next run continues there', async () => {
    const content = randomBytes(2_000_000)
    writeFileSync(join(site.sshd.home, 'gone'), content)
    const cut = async (resume: boolean) => {
      // Not a reset: that also takes away what has arrived and is not read yet, which is as much as the machine is busy.
      proxy.breakAfter('down', 1_000_000, 'end')
      const problem = await fresh(
        (shell) => problemOf(shell.downloadFile('gone', 'gone-here', { resume })),
        (event) => {
          // From now on nobody gets through.
          if (event.type === 'command.ended') proxy.breakAfter('up', 0, 'reset')
        },
      )
      proxy.mend()
      expect(problem).toMatchObject({ code: 'CONNECTION_LOST', kind: 'task' })
      return problem
    }
    const problem = await cut(false)
    expect(problem.message).toMatch(
      /^web1: the connection was lost \(.+\) while gone was being downloaded; 9\d{5} of 2000000 bytes had arrived$/,
    )
    expect(problem.details).toMatchObject({
      host: 'web1',
      path: 'gone',
      hint: 'Nothing was kept of it. Try again.',
    })
    expect(here('gone-here')).toEqual([])

    expect((await cut(true)).details.hint).toBe(
      'They are kept: run it again, and it continues there while the file is unchanged.',
    )
    const [part = ''] = here('gone-here')
    const { length } = readFileSync(join(site.here, part))
    expect(content.subarray(0, length).equals(readFileSync(join(site.here, part)))).toBe(true)
    let first = 0
    await fresh(
      (shell) => shell.downloadFile('gone', 'gone-here', { resume: true }),
      (event) => {
        if (event.type === 'transfer') first ||= event.bytes
      },
    )
    expect(first).toBeGreaterThan(length)
    expect(readFileSync(join(site.here, 'gone-here')).equals(content)).toBe(true)
    expect(here('gone-here')).toEqual(['gone-here'])
  })

  test('where the other side never notices, the next file command takes away what was left there', async () => {
    const content = Buffer.alloc(60_000_000)
    writeFileSync(join(site.here, 'stalled'), content)
    mkdirSync(join(site.here, 'stalled-tree'))
    writeFileSync(join(site.here, 'stalled-tree/file'), content)
    const stop = new AbortController()
    const uploads: Promise<Problem>[] = []
    const providers: ShellProvider[] = []
    for (const work of [
      (shell: Shell) => shell.uploadFile('stalled', 'stalled-there'),
      (shell: Shell) => shell.uploadDir('stalled-tree', 'stalled-tree-there'),
      (shell: Shell) => shell.writeFile('stalled-text', content),
    ]) {
      const shells = createShells({ root: site.here, sshConfig: site.config })
      providers.push(shells)
      uploads.push(problemOf(work(shellOf(shells, host, stop.signal))))
      // Each on a link of its own, which falls silent as soon as there is something of it over there: none gets to its end.
      await until(() => there('stalled').filter((entry) => entry.endsWith('.part')).length === uploads.length)
      proxy.breakNow('stall')
    }
    const begun = performance.now()
    stop.abort()
    for (const upload of uploads) {
      const problem = await upload
      expect(problem.code).toBe('COMMAND_CANCELLED')
      expect(problem.message).toContain('it may still be running on web1')
    }
    expect(performance.now() - begun).toBeLessThan(9_000)
    expect(there('stalled')).toHaveLength(3)
    // A stalled link is noticed by keepalive after a while; here it ends now. sshd's side stays as it is.
    proxy.breakNow('leave')
    for (const shells of providers) {
      expect(await shellOf(shells, host).exists('anything')).toBe(false)
      await shells.close()
    }
    expect(there('stalled')).toEqual([])
  })

  test(
    'an upload on a link that stalls for ever fails within 45 s and leaves nothing',
    { timeout: 60_000 },
    async () => {
      const content = randomBytes(2_000_000)
      writeFileSync(join(site.here, 'endless'), content)
      const shells = createShells({ root: site.here, sshConfig: site.config })
      const shell = shellOf(shells, host)
      const before = proxy.passed.up
      await shell.exists('x')
      proxy.breakAfter('up', 500_000, 'stall')
      const begun = performance.now()
      const upload = problemOf(shell.uploadFile('endless', 'endless-there'))
      // Stalled by now; what mends the link for new connections earlier would let this one through.
      await until(() => proxy.passed.up - before >= 500_000)
      proxy.mend()
      expect((await upload).code).toBe('CONNECTION_LOST')
      expect(performance.now() - begun).toBeLessThan(45_000)
      expect(there('endless')).toEqual([])
      await shells.close()
      rmSync(join(site.here, 'endless'))
    },
  )
})

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
