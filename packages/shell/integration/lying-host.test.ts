import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'

const SFTP_SERVER =
  ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server'].find(existsSync) ?? ''
const CONTENT = 'q'.repeat(100_000)

// What a broken disk, memory or program does cannot be had by breaking the link: SSH itself would notice.
describe.runIf(servicesFound('sshd'))('a host on which other bytes come to lie than were sent', () => {
  let site: Site
  let bin: string
  beforeAll(async () => {
    site = await startSite()
    writeFileSync(join(site.here, 'file'), CONTENT)
    mkdirSync(join(site.here, 'tree'))
    writeFileSync(join(site.here, 'tree/file'), CONTENT)
  })
  afterAll(() => site[Symbol.asyncDispose]())
  let at = 0
  beforeEach(() => {
    bin = join(site.sshd.root, `bin-${String(++at)}`)
    mkdirSync(bin)
  })

  /** Comes before the host's own program of this name. */
  const program = (name: string, sh: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${sh}\n`, { mode: 0o755 })
  const shell = () => shellOf(site.shells, hostNamed('web1', { path: [bin] }))
  /** All that is there, but for what `site` itself has put there. */
  const there = (): string[] => readdirSync(site.sshd.home).sort()
  const here = (): string[] => readdirSync(site.here).sort()

  test.each([
    [
      'other bytes',
      '/bin/cat "$@" | tr q w',
      /^web1: kept cannot be written: the content was changed on its way \(sha256 [0-9a-f]{64}\)$/,
    ],
    [
      'fewer bytes',
      '/bin/cat "$@" | head -c 10',
      /^web1: kept cannot be written: only 10 of 100000 bytes arrived$/,
    ],
  ])('%s of a file: said as that, and the old one stays', async (_, sh, message) => {
    writeFileSync(join(site.sshd.home, 'kept'), 'old')
    const before = there()
    program('cat', sh)
    for (const work of [() => shell().uploadFile('file', 'kept'), () => shell().writeFile('kept', CONTENT)]) {
      const problem = await problemOf(work())
      expect(problem).toMatchObject({ code: 'TRANSFER_BROKEN', kind: 'task' })
      expect(problem.details).toMatchObject({ host: 'web1', path: 'kept', retryable: true })
      expect(problem.message).toMatch(message)
    }
    expect(there()).toEqual(before)
    expect(readFileSync(join(site.sshd.home, 'kept'), 'utf8')).toBe('old')
  })

  test('another hash of a tree: nothing of it is left', async () => {
    const before = there()
    program('sha256sum', `cat >/dev/null; echo ${'0'.repeat(64)} -`)
    const problem = await problemOf(shell().uploadDir('tree', 'tree-there'))
    expect(problem).toMatchObject({ code: 'TRANSFER_BROKEN', kind: 'task', details: { retryable: true } })
    expect(problem.message).toBe('web1: tree-there was not received whole')
    expect(there()).toEqual(before)
  })

  test.each([
    ['other bytes', 'tr q w', 'other bytes than were read there'],
    ['fewer bytes', '{ head -c 10; cat >/dev/null; }', 'only 10 of 100000 bytes'],
  ])('%s of a download: nothing of them is left here, not for a resume either', async (_, change, what) => {
    writeFileSync(join(site.sshd.home, 'source'), CONTENT)
    mkdirSync(join(site.sshd.home, 'source-tree'), { recursive: true })
    writeFileSync(join(site.sshd.home, 'source-tree/file'), CONTENT)
    writeFileSync(join(site.here, 'kept'), 'old')
    const before = here()
    // Its standard error goes into the hash, its standard output to us.
    program('tee', `exec 3>&1; { /usr/bin/tee "$@" | ${change} >&3; }`)
    for (const resume of [false, true]) {
      const problem = await problemOf(shell().downloadFile('source', 'kept', { resume }))
      expect(problem).toMatchObject({ code: 'TRANSFER_BROKEN', kind: 'task', details: { retryable: true } })
      expect(problem.message).toMatch(new RegExp(`^web1: source was not received whole: ${what} arrived$`))
    }
    const tree = await problemOf(shell().downloadDir('source-tree', 'tree-back'))
    expect(tree).toMatchObject({ code: 'TRANSFER_BROKEN', kind: 'task', details: { retryable: true } })
    expect(tree.message).toBe(
      `this machine: ${join(site.here, 'tree-back')} was not received whole from web1`,
    )
    expect(here()).toEqual(before)
    expect(readFileSync(join(site.here, 'kept'), 'utf8')).toBe('old')
  })

  test('without any program that hashes: said with what to install, and nothing is left', async () => {
    const needed = [
      'sh',
      'cat',
      'chmod',
      'cut',
      'find',
      'ls',
      'mkdir',
      'mv',
      'rm',
      'stat',
      'tar',
      'tee',
      'wc',
    ]
    for (const name of needed) symlinkSync(join('/bin', name), join(bin, name))
    const path = process.env['PATH']
    process.env['PATH'] = bin
    const poor = hostNamed('poor', { transport: 'local', root: site.sshd.home })
    writeFileSync(join(site.sshd.home, 'source'), CONTENT)
    const before = [here(), there()]
    const shell = shellOf(site.shells, poor)
    try {
      for (const work of [
        () => shell.uploadFile('file', 'up'),
        () => shell.writeFile('up', CONTENT),
        () => shell.uploadDir('tree', 'up'),
        () => shell.downloadFile('source', 'down'),
        () => shell.downloadDir('.', 'down'),
      ]) {
        const problem = await problemOf(work())
        expect(problem).toMatchObject({ code: 'PROGRAM_MISSING', kind: 'task', details: { host: 'poor' } })
        expect(problem.message).toContain('neither sha256sum, shasum nor openssl is there')
        expect(problem.details.hint).toBe('Install it on poor.')
      }
    } finally {
      process.env['PATH'] = path
    }
    expect([here(), there()]).toEqual(before)
  })

  test('by SFTP, where nothing can hash over there: it is read back before it gets its name', async () => {
    // Changes what is written on its way to the file transfer server; what is read comes back as it is.
    const change = `process.stdin.on('data', (chunk) => process.stdout.write(Buffer.from(chunk.toString('latin1').replaceAll('qqqq', 'wwww'), 'latin1')))`
    writeFileSync(join(bin, 'change.cjs'), change)
    program(
      'enter',
      `case $SSH_ORIGINAL_COMMAND in *sftp*) '${process.execPath}' '${join(bin, 'change.cjs')}' | ${SFTP_SERVER} ;; *) echo 'sftp only'; exit 1 ;; esac`,
    )
    await using own = await startSite({ config: [`ForceCommand "${join(bin, 'enter')}"`] })
    writeFileSync(join(own.here, 'file'), CONTENT)
    const target = join(own.sshd.home, 'kept')
    writeFileSync(target, 'old')
    const shells = createShells({ root: own.here, sshConfig: own.config })
    const sftp = shellOf(shells, hostNamed('web1'))
    for (const work of [() => sftp.uploadFile('file', target), () => sftp.writeFile(target, CONTENT)]) {
      const problem = await problemOf(work())
      expect(problem).toMatchObject({ code: 'TRANSFER_BROKEN', kind: 'task', details: { retryable: true } })
      expect(problem.message).toBe(`web1: ${target} cannot be written: other bytes arrived than were sent`)
    }
    // Whatever else is written arrives.
    await sftp.writeFile(`${target}-too`, 'content')
    await shells.close()
    expect(readdirSync(own.sshd.home).sort()).toEqual(['kept', 'kept-too'])
    expect([target, `${target}-too`].map((path) => readFileSync(path, 'utf8'))).toEqual(['old', 'content'])
  })
})
