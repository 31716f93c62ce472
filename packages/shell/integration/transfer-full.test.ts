import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Problem, Shell } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'

/** 40 files of 100 KB, and one of 4 MB: each more than a small disk takes. */
function fill(folder: string): void {
  mkdirSync(join(folder, 'many'))
  for (let at = 0; at < 40; at++) writeFileSync(join(folder, 'many', String(at)), randomBytes(100_000))
  writeFileSync(join(folder, 'one'), randomBytes(4_000_000))
}

function noSpace(problem: Problem, host: string | undefined, path: string): void {
  expect(problem).toMatchObject({ code: 'NO_SPACE', kind: 'task' })
  expect(problem.details).toMatchObject({ path, ...(host !== undefined && { host }) })
  expect(problem.message).toMatch(
    new RegExp(`^${host ?? 'this machine'}: ${path} cannot be written: no space is left for it( \\(.+\\))?$`),
  )
  expect(problem.details.hint).toContain('Nothing was put in its place. Make room')
}

// A disk of its own needs root: without it the limit below still holds on every machine.
const root = process.getuid?.() === 0 && process.platform === 'linux'
if (!root)
  console.warn(
    'SKIPPED: a full disk needs root on Linux, to mount one; the limit of a login is tested all the same',
  )

describe.runIf(servicesFound('sshd') && root)('a full disk', () => {
  let site: Site
  const disks: string[] = []
  const disk = (path: string): string => {
    mkdirSync(path)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,nr_inodes=30', 'deployfile-test', path])
    disks.push(path)
    return path
  }
  beforeAll(async () => {
    site = await startSite()
    fill(site.here)
    disk(join(site.sshd.home, 'small'))
    disk(join(site.here, 'small'))
  })
  afterAll(async () => {
    for (const path of disks) execFileSync('umount', [path])
    await site[Symbol.asyncDispose]()
  })

  test('over there: said as that, with the host; the old file stays, nothing else is left', async () => {
    const shell = shellOf(site.shells, hostNamed('web1'))
    const small = join(site.sshd.home, 'small')
    await shell.writeFile('small/kept', 'old')
    const free = statfsSync(small).bfree
    noSpace(await problemOf(shell.uploadFile('one', 'small/kept')), 'web1', 'small/kept')
    noSpace(await problemOf(shell.writeFile('small/kept', randomBytes(4_000_000))), 'web1', 'small/kept')
    noSpace(await problemOf(shell.uploadDir('many', 'small/tree')), 'web1', 'small/tree')
    expect(readdirSync(small)).toEqual(['kept'])
    expect(readFileSync(join(small, 'kept'), 'utf8')).toBe('old')
    expect(statfsSync(small).bfree).toBe(free)
  })

  test('here: said as that; nothing is left', async () => {
    const shell = shellOf(site.shells, hostNamed('web1'))
    const small = join(site.here, 'small')
    writeFileSync(join(small, 'kept'), 'old')
    await shell.uploadFile('one', 'one')
    await shell.uploadDir('many', 'many')
    noSpace(await problemOf(shell.downloadFile('one', 'small/kept')), undefined, join(small, 'kept'))
    noSpace(
      await problemOf(shell.downloadFile('one', 'small/kept', { resume: true })),
      undefined,
      join(small, 'kept'),
    )
    noSpace(await problemOf(shell.downloadDir('many', 'small/tree')), undefined, join(small, 'tree'))
    expect(readdirSync(small)).toEqual(['kept'])
    expect(readFileSync(join(small, 'kept'), 'utf8')).toBe('old')
  })

  test('no inode left is no space left', async () => {
    const shell = shellOf(site.shells, hostNamed('web1'))
    mkdirSync(join(site.here, 'tiny'))
    for (let at = 0; at < 40; at++) writeFileSync(join(site.here, 'tiny', String(at)), '')
    noSpace(await problemOf(shell.uploadDir('tiny', 'small/tiny')), 'web1', 'small/tiny')
    expect(readdirSync(join(site.sshd.home, 'small'))).toEqual(['kept'])
  })
})

describe.runIf(servicesFound('sshd'))(
  'a limit of the login (ulimit -f), as hosters and sandboxes set it',
  () => {
    const folder = tempFolder('limit')
    let site: Site
    let shell: Shell
    let close: () => Promise<void>
    beforeAll(async () => {
      // The forced command of the tests' sshd, with a limit of 1 MB (2,048 blocks of 512 bytes in POSIX sh).
      const enter = join(folder.path, 'enter')
      const home = join(folder.path, 'home')
      mkdirSync(home)
      writeFileSync(enter, `#!/bin/sh\ncd '${home}'\nulimit -f 2048\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n`, {
        mode: 0o755,
      })
      site = await startSite({ config: [`ForceCommand "${enter}"`] })
      fill(site.here)
      const shells = createShells({ root: site.here, sshConfig: site.config })
      shell = shellOf(shells, hostNamed('web1'))
      close = () => shells.close()
    })
    afterAll(async () => {
      await close()
      await site[Symbol.asyncDispose]()
      await folder.remove()
    })

    test('is told as such, and nothing is left', async () => {
      const home = join(folder.path, 'home')
      const problem = await problemOf(shell.uploadFile('one', 'one'))
      expect(problem).toMatchObject({ code: 'NO_SPACE', kind: 'task' })
      expect(problem.message).toMatch(
        /^web1: one cannot be written: (it is larger than files of this login may be \(ulimit -f\)|no space is left for it)$/,
      )
      mkdirSync(join(site.here, 'large'))
      writeFileSync(join(site.here, 'large/one'), randomBytes(4_000_000))
      expect((await problemOf(shell.uploadDir('large', 'tree'))).code).toBe('NO_SPACE')
      await shell.uploadDir('many', 'many')
      expect(readdirSync(home)).toEqual(['many'])
    })
  },
)

describe.runIf(process.platform === 'linux')('what this login may not do', () => {
  test('is told with path and host', async () => {
    // sysfs takes new files from nobody, root included.
    const shells = createShells({ root: '/sys' })
    const scope = { signal: new AbortController().signal, emit: () => undefined }
    const shell = shells.local(scope)
    const denied = async (promise: Promise<unknown>, message: string): Promise<void> => {
      const problem = await problemOf(promise)
      expect(problem).toMatchObject({ code: 'PERMISSION_DENIED', kind: 'task' })
      expect(problem.message).toBe(message)
      expect(problem.details.hint).toContain('See who may')
    }
    await denied(shell.writeFile('/sys/new', 'x'), 'localhost: /sys/new cannot be written: permission denied')
    await denied(shell.mkdir('/sys/new'), 'localhost: /sys/new cannot be made: permission denied')
    await denied(shell.symlink('x', '/sys/new'), 'localhost: /sys/new cannot be written: permission denied')
    await denied(
      shell.remove('/proc/version'),
      'localhost: /proc/version cannot be removed: permission denied',
    )
    await denied(
      shell.downloadFile('/etc/hostname', '/sys/new'),
      'this machine: /sys/new cannot be written: permission denied',
    )
    await shells.close()
  })
})
