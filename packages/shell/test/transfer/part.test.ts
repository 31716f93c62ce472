import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProblem } from '@deployfile/core'
import { afterAll, expect, test } from 'vitest'
import { tempFolder } from '../../../../test/servers/temp.ts'
import { openPart } from '../../src/transfer/part.ts'

const temp = tempFolder('part')
afterAll(() => temp.remove())
let folders = 0
function freshFolder(): string {
  const folder = join(temp.path, String(++folders))
  mkdirSync(folder)
  return folder
}
const SOURCE = 'web1 /var/dump'
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

test('a part gets the name when it lands, with its mode, and nothing is beside it', async () => {
  const folder = freshFolder()
  const to = join(folder, 'new/dump')
  const part = await openPart(to, SOURCE, false)
  expect([part.bytes, part.version]).toEqual([0, undefined])
  await part.restart('6 1700000000')
  await part.write(Buffer.from('abc'))
  await part.write(Buffer.from('def'))
  expect(readdirSync(join(folder, 'new'))).not.toContain('dump')
  expect(statSync(join(folder, 'new', readdirSync(join(folder, 'new'))[0]!)).mode & 0o777).toBe(0o600)
  expect(part.sha256()).toBe(sha256(Buffer.from('abcdef')))
  await part.land(0o640)
  expect(readFileSync(to, 'utf8')).toBe('abcdef')
  expect(statSync(to).mode & 0o777).toBe(0o640)
  expect(readdirSync(join(folder, 'new'))).toEqual(['dump'])
})

test('what is kept is continued by the next one of the same source, hash included', async () => {
  const folder = freshFolder()
  const to = join(folder, 'dump')
  const content = randomBytes(5_000)
  const first = await openPart(to, SOURCE, true)
  await first.restart('5000 1700000000')
  await first.write(content.subarray(0, 3_000))
  await first.leave(true)
  expect(readdirSync(folder)).toEqual([
    expect.stringMatching(/^\.dump\.5000-1700000000\.[0-9a-f]{8}\.0\.part$/),
  ])

  const stranger = await openPart(to, 'web2 /var/dump', true)
  expect(stranger.bytes).toBe(0)
  await stranger.leave(true)
  const second = await openPart(to, SOURCE, true)
  expect([second.bytes, second.version]).toEqual([3_000, '5000 1700000000'])
  // Taken: a third one begins at the beginning.
  const third = await openPart(to, SOURCE, true)
  expect(third.bytes).toBe(0)
  await third.leave(true)
  await second.write(content.subarray(3_000))
  expect(second.sha256()).toBe(sha256(content))
  await second.land(0o644)
  expect(readdirSync(folder)).toEqual(['dump'])
})

test('another version begins anew', async () => {
  const folder = freshFolder()
  const part = await openPart(join(folder, 'dump'), SOURCE, true)
  await part.restart('5000 1700000000')
  await part.write(randomBytes(4_000))
  await part.restart('3 1700000001')
  await part.write(Buffer.from('new'))
  expect([part.bytes, part.version, part.sha256()]).toEqual([3, '3 1700000001', sha256(Buffer.from('new'))])
  await part.land(0o644)
  expect(readFileSync(join(folder, 'dump'), 'utf8')).toBe('new')
  expect(readdirSync(folder)).toEqual(['dump'])
})

test('what a process that died was writing is taken over, what a living one writes is not', async () => {
  const folder = freshFolder()
  const mark = sha256(Buffer.from(SOURCE)).slice(0, 8)
  const name = (owner: string) => `.dump.100-1700000000.${mark}.${owner}.part`
  writeFileSync(join(folder, name(`${String(process.ppid)}-1`)), 'living')
  // Beyond the largest number that Linux gives.
  writeFileSync(join(folder, name('4194305-7')), 'died')
  const part = await openPart(join(folder, 'dump'), SOURCE, true)
  expect(part.bytes).toBe(4)
  await part.leave(false)
  expect(readdirSync(folder)).toEqual([name(`${String(process.ppid)}-1`)])
})

test.each([
  ['nothing has arrived', 0, true, true],
  ['nobody wants to resume', 10, true, false],
  ['it is known to be wrong', 10, false, true],
])('nothing is kept when %s', async (_, bytes, keep, resume) => {
  const folder = freshFolder()
  const part = await openPart(join(folder, 'dump'), SOURCE, resume)
  await part.restart('100 1700000000')
  await part.write(randomBytes(bytes))
  await part.leave(keep)
  expect(readdirSync(folder)).toEqual([])
})

test('a name of 255 bytes leaves room for what is added', async () => {
  const folder = freshFolder()
  const to = join(folder, 'ü'.repeat(127))
  const part = await openPart(to, SOURCE, true)
  await part.restart('100000000000000 1700000000')
  await part.write(Buffer.from('x'))
  await part.leave(true)
  const again = await openPart(to, SOURCE, true)
  expect(again.bytes).toBe(1)
  await again.land(0o644)
  expect(readdirSync(folder)).toEqual(['ü'.repeat(127)])
})

test('a folder in its place is refused before anything is fetched', async () => {
  const folder = freshFolder()
  const error: unknown = await openPart(folder, SOURCE, false).catch((reason: unknown) => reason)
  expect(isProblem(error) && [error.code, error.message]).toEqual([
    'WRONG_KIND',
    `this machine: ${folder} cannot be written: it is a folder`,
  ])
})
