import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isProblem } from '@deployfile/core'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../../test/servers/temp.ts'
import { localTar } from '../../src/transfer/local-tar.ts'
import { pack } from '../../src/transfer/pack.ts'
import { removeTree, unpack } from '../../src/transfer/unpack.ts'
import { tarSize, walk } from '../../src/transfer/walk.ts'

const temp = tempFolder('pack')
afterAll(() => temp.remove())
let trees = 0
function freshFolder(): string {
  const folder = join(temp.path, String(++trees))
  mkdirSync(folder)
  return folder
}

function plant(folder: string): void {
  mkdirSync(join(folder, '.dot/inner'), { recursive: true })
  mkdirSync(join(folder, 'empty'), { mode: 0o711 })
  writeFileSync(join(folder, 'run'), '#!/bin/sh\n')
  chmodSync(join(folder, 'run'), 0o775)
  writeFileSync(join(folder, '-dash\nline'), 'odd')
  writeFileSync(join(folder, '@at'), 'at')
  writeFileSync(join(folder, '.dot/inner', 'n'.repeat(200)), 'x'.repeat(2_000))
  symlinkSync('run', join(folder, 'link'))
  symlinkSync('t'.repeat(150), join(folder, 'dangling'))
  // Long ago, so that nothing that is made now has these times by chance.
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().reverse()
  for (const [at, path] of [...paths, '.'].entries()) lutimesSync(join(folder, path), 1e9 + at, 1e9 + at)
}

function counter(): Transform & { bytes: number } {
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      counting.bytes += chunk.length
      done(null, chunk)
    },
  }) as Transform & { bytes: number }
  counting.bytes = 0
  return counting
}

async function carry(from: string, to: string): Promise<number> {
  const entries = await walk(from, () => false)
  const through = counter()
  await pack(from, entries, through)
  const unpacking = await unpack(to)
  await pipeline(through, unpacking.into)
  await unpacking.done
  return through.bytes
}

function listing(folder: string): string[] {
  return ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()].map((name) => {
    const found = lstatSync(join(folder, name))
    const content = found.isSymbolicLink()
      ? readlinkSync(join(folder, name))
      : found.isFile()
        ? String(readFileSync(join(folder, name)).length)
        : ''
    return `${name} ${found.mode.toString(8)} ${String(Math.floor(found.mtimeMs / 1000))} ${content}`
  })
}

test('this machine has a tar, or the first half of what follows proves nothing', async () => {
  expect(await localTar()).toMatch(/gnu|bsd/)
})

describe.each(['with the tar of this machine', 'without any'])('%s', (how) => {
  const path = process.env['PATH']
  beforeEach(() => {
    if (how === 'without any') process.env['PATH'] = temp.path
  })
  afterEach(() => {
    process.env['PATH'] = path
  })

  test('modes, times, links and odd names arrive as they are', async () => {
    const [from, to] = [freshFolder(), freshFolder()]
    plant(from)
    await carry(from, to)
    // The link's own time cannot be set by everybody.
    const plain = (lines: string[]) => lines.filter((line) => !/^(link|dangling) /.test(line))
    expect(plain(listing(to))).toEqual(plain(listing(from)))
    expect(readlinkSync(join(to, 'link'))).toBe('run')
    expect(readlinkSync(join(to, 'dangling'))).toBe('t'.repeat(150))
  })

  test('set-user-id bits are not unpacked', async () => {
    const [from, to] = [freshFolder(), freshFolder()]
    writeFileSync(join(from, 'su'), '')
    chmodSync(join(from, 'su'), 0o6755)
    mkdirSync(join(from, 'shared'))
    chmodSync(join(from, 'shared'), 0o2775)
    await carry(from, to)
    expect(lstatSync(join(to, 'su')).mode & 0o7777).toBe(0o755)
    expect(lstatSync(join(to, 'shared')).mode & 0o7777).toBe(0o775)
  })

  test('a file that goes away meanwhile is a fault, not a hole', async () => {
    const from = freshFolder()
    writeFileSync(join(from, 'there'), 'x')
    const entries = await walk(from, () => false)
    const through = counter()
    await pack(from, [...entries, { name: Buffer.from('./gone'), folder: false, size: 1 }], through)
    const error: unknown = await pipeline(through, async (source) => {
      for await (const _ of source);
    }).catch((reason: unknown) => reason)
    expect(isProblem(error) && [error.code, error.kind]).toEqual(['FILE_MISSING', 'task'])
    expect(isProblem(error) && error.message).toMatch(
      /^this machine: .+ cannot be read: there is no such file or folder/,
    )
  })
})

test('without tar a name that is no UTF-8 is refused by name', async () => {
  const path = process.env['PATH']
  process.env['PATH'] = temp.path
  try {
    const from = freshFolder()
    writeFileSync(Buffer.concat([Buffer.from(`${from}/a`), Buffer.from([0xff])]), 'x')
    const through = counter()
    await pack(from, await walk(from, () => false), through)
    const error: unknown = await pipeline(through, async (source) => {
      for await (const _ of source);
    }).catch((reason: unknown) => reason)
    expect(isProblem(error) && [error.code, error.message]).toEqual([
      'PROGRAM_MISSING',
      `this machine: ${from}/a\ufffd cannot be read: its name is not UTF-8, which needs tar`,
    ])
  } finally {
    process.env['PATH'] = path
  }
})

test('the size of the stream is known before it is made', async () => {
  const [from, to] = [freshFolder(), freshFolder()]
  plant(from)
  const entries = await walk(from, () => false)
  const bytes = await carry(from, to)
  // A long name of a link is not counted, and records round up.
  expect(Math.abs(bytes - tarSize(entries))).toBeLessThanOrEqual(10_240)
})

test('a socket is refused, and so is a folder that cannot be read', async () => {
  const from = freshFolder()
  execFileSync('mkfifo', [join(from, 'pipe')])
  const error: unknown = await walk(from, () => false).catch((reason: unknown) => reason)
  expect(isProblem(error) && error.code).toBe('WRONG_KIND')
  const missing: unknown = await walk(join(from, 'none'), () => false).catch((reason: unknown) => reason)
  expect(isProblem(missing) && missing.code).toBe('FILE_MISSING')
})

test('a tree goes away though its folders may not be written to', async () => {
  const folder = freshFolder()
  mkdirSync(join(folder, 'closed/inner'), { recursive: true })
  writeFileSync(join(folder, 'closed/inner/file'), '')
  chmodSync(join(folder, 'closed/inner'), 0o500)
  chmodSync(join(folder, 'closed'), 0o500)
  await removeTree(join(folder, 'closed'))
  expect(readdirSync(folder)).toEqual([])
})
