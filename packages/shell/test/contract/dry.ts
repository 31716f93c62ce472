import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { type CommandEvent, reveal, secret, type Shell } from '@deployfile/core'
import { dryShells } from '@deployfile/shell'
import { describe, expect, test } from 'vitest'
import { type Open, problemOf } from './opened.ts'
import { refusals } from './refusals.ts'

/**
 * One hash of all names, modes, times, sizes and links, and of contents up to a megabyte. Names are bytes: other tests make some that are
 * no UTF-8.
 */
function hashOf(...folders: readonly string[]): string {
  const hash = createHash('sha256')
  const add = (path: Buffer): void => {
    const found = lstatSync(path)
    hash.update(path)
    hash.update(` ${found.mode} ${found.mtimeMs} ${found.isDirectory() ? '' : found.size}\n`)
    if (found.isSymbolicLink()) hash.update(readlinkSync(path, { encoding: 'buffer' }))
    else if (found.isDirectory()) {
      const names = readdirSync(path, { encoding: 'buffer' }).sort((a, b) => a.compare(b))
      for (const name of names) add(Buffer.concat([path, Buffer.from('/'), name]))
    } else if (found.isFile() && found.size <= 1_000_000) hash.update(readFileSync(path))
  }
  for (const folder of folders) add(Buffer.from(folder))
  return hash.digest('hex')
}

export function dry(open: Open): void {
  const dryOpen = (signal = new AbortController().signal) => {
    const { shell: real, folder, root } = open()
    const told: string[] = []
    const emit = (event: CommandEvent): void =>
      void told.push(
        `${event.type}: ${event.type === 'command.skipped' ? `${event.host}: ${event.text}` : ''}`,
      )
    const provider = { remote: () => real, local: () => real, close: () => Promise.resolve() }
    const shell: Shell = dryShells(provider, root).remote(real.host, { signal, emit })
    const at = `command.skipped: ${real.host.name}: `
    return { shell, real, folder, root, told, at }
  }

  describe('a dry shell', () => {
    refusals(() => {
      const { shell: real, folder, root } = open()
      const events: CommandEvent[] = []
      const provider = { remote: () => real, local: () => real, close: () => Promise.resolve() }
      const scope = {
        signal: new AbortController().signal,
        emit: (event: CommandEvent) => events.push(event),
      }
      return { shell: dryShells(provider, root).remote(real.host, scope), folder, root, events }
    })
  })

  test('a dry shell reads, and of what would write it only tells: nothing is changed on either side', async () => {
    const { shell, folder, root, told, at } = dryOpen()
    mkdirSync(join(folder, 'site/old'), { recursive: true })
    writeFileSync(join(folder, 'site/REVISION'), 'abc\n')
    symlinkSync('old', join(folder, 'site/current'))
    mkdirSync(join(root, 'site-dist/deep'), { recursive: true })
    writeFileSync(join(root, 'site-dist/index.html'), '<p>')
    writeFileSync(join(root, 'site-dist/deep/map'), 'leave me out')
    writeFileSync(join(root, 'site-dist/deep/code.js'), '1')
    const before = hashOf(folder, root)

    const site = shell.with({ cwd: 'site' })
    expect(await site.capture`cat REVISION`).toBe('abc')
    expect(await site.test`[ -L current ]`).toBe(true)
    expect(await site.readFile('REVISION')).toBe('abc\n')
    expect(await site.exists('nothing')).toBe(false)
    expect((await site.run('cat', ['REVISION'], { reads: true })).stdout).toBe('abc\n')
    expect((await site.with({ reads: true }).script('echo "$1"', ['read'])).stdout).toBe('read\n')
    expect(told).toEqual([])

    const nothing = { stdout: '', stderr: '', truncated: false, durationMs: 0 }
    expect(await shell.sh`rm -rf ${'two words'}`).toEqual(nothing)
    expect(await site.run('touch', ['x y'])).toEqual(nothing)
    expect(await shell.script('touch "$1"', ['z'])).toEqual(nothing)
    await site.writeFile('REVISION', 'déf\n', { mode: 0o600 })
    await shell.mkdir('made')
    await shell.remove('site')
    await shell.symlink('new', 'site/current')
    await shell.rename('site', 'gone')
    await shell.uploadFile('site-dist/index.html', 'up.html')
    await shell.uploadFile('site-dist/none', 'none')
    await shell.uploadDir('site-dist', 'up', { exclude: ['map'] })
    expect(await shell.downloadFile('site/REVISION', 'down')).toBe(0)
    expect(await shell.downloadDir('site', 'down')).toBe(0)
    expect(told).toEqual([
      `${at}rm -rf 'two words'`,
      `${at}cd site && touch 'x y'`,
      `${at}touch "$1" z`,
      `${at}cd site && write 5 bytes to REVISION (mode 0600)`,
      `${at}mkdir -p made`,
      `${at}rm -rf site`,
      `${at}ln -sfn new site/current`,
      `${at}mv site gone`,
      `${at}upload site-dist/index.html up.html (3 bytes)`,
      `${at}upload site-dist/none none (not there yet)`,
      `${at}upload -r site-dist up (2 files, 4 bytes)`,
      `${at}download site/REVISION down`,
      `${at}download -r site down`,
    ])
    expect(hashOf(folder, root)).toBe(before)
  })

  test('a dry shell hides secrets, says as whom, and lets streams go', async () => {
    process.env['DRY_SECRET'] = 'dry-secret-word'
    reveal(secret.env('DRY_SECRET'))
    const { shell, told, at } = dryOpen()
    await shell.with({ user: 'postgres' }).sh`vacuumdb ${'dry-secret-word'}`
    const output = new PassThrough()
    const input = Readable.from(['never read'])
    await shell.run('gzip', [], { input, output })
    expect(told).toEqual([`${at}as postgres: vacuumdb '***'`, `${at}gzip`])
    expect(output.writableFinished).toBe(true)
    expect(input.destroyed).toBe(true)
  })

  test('a dry shell refuses what a real one would refuse, and nothing goes on after a cancel', async () => {
    const { shell, told } = dryOpen()
    expect((await problemOf(shell.sh`echo "${'x'}"`)).code).toBe('COMMAND_TEMPLATE')
    expect((await problemOf(shell.run('true', [], { env: { 'A B': '' } }))).code).toBe('ENV_NAME')
    expect((await problemOf(dryOpen(AbortSignal.abort()).shell.sh`true`)).code).toBe('COMMAND_CANCELLED')
    expect(told).toEqual([])
  })
}
