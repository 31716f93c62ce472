import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf, startSite } from './host.ts'

describe.runIf(servicesFound('sshd'))('a host that speaks another language', () => {
  test('what its programs say is understood; commands keep the language', async () => {
    await using site = await startSite()
    const bin = join(site.sshd.root, 'bin')
    mkdirSync(bin)
    // As programs do that have been translated.
    for (const name of ['cat', 'ln', 'mkdir', 'mv', 'rm', 'tar'])
      writeFileSync(
        join(bin, name),
        `#!/bin/sh\n[ "\${LC_ALL-}" = C ] && exec /bin/${name} "$@"\n/bin/${name} "$@" 2>/dev/null && exit\necho '${name}: das ging nicht' >&2; exit 1\n`,
        { mode: 0o755 },
      )
    mkdirSync(join(site.here, 'tree'))
    writeFileSync(join(site.sshd.home, 'file'), '')
    const shell = shellOf(site.shells, hostNamed('web1', { path: [bin] }))
    const codes: string[] = []
    for (const work of [
      () => shell.mkdir('file/inside'),
      () => shell.rename('none', 'other'),
      () => shell.symlink('x', 'none/link'),
      () => shell.remove('/proc/version'),
      () => shell.uploadDir('tree', 'file/tree'),
      () => shell.uploadDir('tree', 'none/tree'),
      () => shell.writeFile('none/file', ''),
    ])
      codes.push((await problemOf(work())).code)
    expect(codes).toEqual([
      'WRONG_KIND',
      'FILE_MISSING',
      'FILE_MISSING',
      'PERMISSION_DENIED',
      'WRONG_KIND',
      'FILE_MISSING',
      'FILE_MISSING',
    ])
    expect((await problemOf(shell.sh`mkdir file/inside`)).message).toContain('mkdir: das ging nicht')
  })
})
