import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { archive, directory } from '../../src/index.ts'
import { makeBuildHost, type BuildHost } from './filled.ts'

let host: BuildHost
beforeEach(() => {
  host = makeBuildHost()
  mkdirSync(join(host.path, 'dist/assets'), { recursive: true })
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(host.path, 'dist', name), text)
})
afterEach(() => host[Symbol.asyncDispose]())

const FILES = {
  'index.html': 'hello',
  'assets/a b\\n$(touch pwned).js': 'odd',
  '.htaccess': 'dot',
  '-x': 'dash',
}
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

describe('directory()', () => {
  const build = (options = {}, wanted?: string) =>
    host.build({ source: directory({ path: 'dist', ...options }) }, wanted)

  it('is packed once, has its hash as revision, and leaves nothing beside', async () => {
    const built = await build()
    expect(built).toEqual({ ...FILES, REVISION: expect.stringMatching(/^[0-9a-f]{64}\n$/) as string })
    // The same files make the same bytes.
    expect(await build()).toEqual(built)
    expect(host.own()).toEqual(['releases.jsonl'])
    expect(readdirSync(join(host.path, '.deployfile/source'))).toEqual([])
    expect(readFileSync(join(host.path, '.deployfile/.gitignore'), 'utf8')).toBe('*\n')
  })

  it('leaves out what it is told, what git has, and our own folder', async () => {
    mkdirSync(join(host.path, 'dist/node_modules/x'), { recursive: true })
    for (const name of ['node_modules/x/index.js', 'a.map']) writeFileSync(join(host.path, 'dist', name), 'x')
    for (const name of ['.git', '.deployfile']) {
      mkdirSync(join(host.path, 'dist', name))
      writeFileSync(join(host.path, 'dist', name, 'x'), 'x')
    }
    const built = await build({ exclude: ['node_modules', '*.map'], revision: 'a'.repeat(40) })
    expect(built).toEqual({ ...FILES, REVISION: `${'a'.repeat(40)}\n` })
  })

  it.each([
    ['dist/none', 'PACK_FAILED: localhost: packing dist/none failed: there is no folder dist/none'],
    ['dist/empty', 'PACK_FAILED: localhost: packing dist/empty failed: the folder dist/empty is empty'],
  ])('%s is refused before anything is made', async (path, message) => {
    mkdirSync(join(host.path, 'dist/empty'))
    const said = await build({ path })
    expect(said).toBe(
      `${message} | Is it built? A task that builds it can stand before: { 'deploy:starting': [build] }.`,
    )
    expect(host.own()).toEqual([])
  })

  it('has no branches', async () => {
    expect(await build({}, 'main')).toContain('a release from a directory has no branch "main"')
  })
})

describe('archive()', () => {
  let file: string
  let hash: string
  beforeEach(() => {
    file = join(host.path, 'app-1.2.tar.gz')
    execFileSync('tar', ['-czf', file, '-C', host.path, 'dist'])
    hash = sha256(readFileSync(file))
  })

  it('of a file here is unpacked without its first folder', async () => {
    const built = await host.build({ source: archive({ file: 'app-1.2.tar.gz', sha256: hash, strip: 1 }) })
    expect(built).toEqual({ ...FILES, REVISION: `${hash}\n` })
    expect(existsSync(file)).toBe(true)
    expect(host.own()).toEqual(['releases.jsonl'])
  })

  it('of an address is fetched by the host, and is what it was, or nothing', async () => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.statusCode = request.url === '/app.tgz?x=1&y=$(touch+pwned)' ? 200 : 404
      response.end(readFileSync(file))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
    try {
      const url = `${base}/app.tgz?x=1&y=$(touch+pwned)`
      expect(await host.build({ source: archive({ url, sha256: hash, strip: 1 }) })).toMatchObject(FILES)
      const other = 'b'.repeat(64)
      expect(await host.build({ source: archive({ url, sha256: other }) })).toBe(
        `RELEASE_FAILED: web1: checking ${url} failed: its sha256 is ${hash}, and not ${other}`,
      )
      expect(await host.build({ source: archive({ url: `${base}/none`, sha256: hash }) })).toMatch(/404/)
      expect(asked).toHaveLength(3)
    } finally {
      server.close()
    }
  })

  it.each([
    [() => ({ file: 'none.tgz', sha256: 'a'.repeat(64) }), 'SOURCE_MISSING: there is no archive'],
    [() => ({ file: 'app-1.2.tar.gz', sha256: 'a'.repeat(64) }), 'SOURCE_CHANGED: the sha256 of'],
    [() => ({ file: 'app-1.2.tar.gz', sha256: hash, strip: 9 }), 'nothing is in it below 9 folders'],
  ])('that is not what it should be is refused', async (options, message) => {
    expect(await host.build({ source: archive(options()) })).toContain(message)
  })

  it('that is a zip file says so', async () => {
    writeFileSync(file, 'PK\u0003\u0004')
    const source = archive({ file: 'app-1.2.tar.gz', sha256: sha256('PK\u0003\u0004') })
    expect(await host.build({ source })).toContain('it is a zip file; pack it with tar')
  })

  it('cannot write outside the release', async () => {
    const outside = join(host.path, 'outside')
    mkdirSync(outside)
    symlinkSync(outside, join(host.path, 'dist/link'))
    execFileSync('tar', ['-cf', file, '-C', host.path, 'dist/link'])
    rmSync(join(host.path, 'dist/link'))
    mkdirSync(join(host.path, 'dist/link'))
    writeFileSync(join(host.path, 'dist/link/escaped'), 'x')
    execFileSync('tar', ['-rf', file, '-C', host.path, 'dist/link/escaped'])
    await host.build({ source: archive({ file: 'app-1.2.tar.gz', sha256: sha256(readFileSync(file)) }) })
    expect(lstatSync(join(outside, 'escaped'), { throwIfNoEntry: false })).toBeUndefined()
  })

  it.each([
    [{ url: 'https://example.com/a.tgz' }, 'sha256'],
    [{ url: 'ftp://example.com/a.tgz', sha256: 'a'.repeat(64) }, 'begins with https://'],
    [{ url: 'https://example.com/a b', sha256: 'a'.repeat(64) }, 'begins with https://'],
    [{ sha256: 'a'.repeat(64) }, 'either a url or a file'],
  ])('refuses %j', (options, message) => {
    expect(() => archive(options as never)).toThrow(message)
  })
})
