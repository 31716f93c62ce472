import * as tar from 'tar'
import { describe, expect, test } from 'vitest'
import { createTreeCheck } from '../../src/transfer/tree-check.ts'

interface Member {
  readonly path: string
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'BlockDevice' | 'FIFO'
  readonly linkpath?: string
  readonly content?: string
}

/** One member of a tar archive, as anybody could write it. */
function block({ path, type = 'File', linkpath, content = '' }: Member): Buffer {
  const head = Buffer.alloc(512)
  const header = new tar.Header({
    path,
    type,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.length,
    mtime: new Date(0),
    ...(linkpath !== undefined && { linkpath }),
  })
  if (header.encode(head, 0)) throw new Error(`${path} needs a longer header`)
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
  body.write(content)
  return Buffer.concat([head, body])
}

const END = Buffer.alloc(1024)

/** What is refused of these; and how many bytes had been let through by then. */
function refused(members: readonly Member[], step = 10_000): { reason?: string; passed: number } {
  const stream = Buffer.concat([...members.map(block), END])
  const check = createTreeCheck((entry, reason) => new Error(`${entry} ${reason}`))
  let passed = 0
  try {
    for (let at = 0; at < stream.length; at += step) {
      const chunk = stream.subarray(at, at + step)
      check.take(chunk)
      passed += chunk.length
    }
  } catch (error) {
    return { reason: (error as Error).message, passed }
  }
  return { passed }
}

test('lets through what stays inside', () => {
  const members: Member[] = [
    { path: './', type: 'Directory' },
    { path: './a/b/', type: 'Directory' },
    { path: './a/b/file', content: 'x'.repeat(2_000) },
    { path: './a/b/up', type: 'SymbolicLink', linkpath: '../../c/d' },
    { path: './a/b/root', type: 'SymbolicLink', linkpath: '../..' },
    { path: './same', type: 'SymbolicLink', linkpath: './a/./b/file' },
    { path: './twin', type: 'Link', linkpath: './a/b/file' },
    { path: './..odd', content: 'two dots in a name are a name' },
    { path: './to..odd', type: 'SymbolicLink', linkpath: '..odd' },
  ]
  for (const step of [1, 511, 512, 513, 10_000]) expect(refused(members, step).reason).toBeUndefined()
})

describe('refuses', () => {
  test.each<[Member[], string]>([
    [[{ path: '/etc/cron.d/x', content: 'x' }], '/etc/cron.d/x is an absolute name'],
    [[{ path: '../x', content: 'x' }], '../x leads out of the tree'],
    [[{ path: './a/../../x', content: 'x' }], './a/../../x leads out of the tree'],
    [[{ path: './a/../x', content: 'x' }], './a/../x leads out of the tree'],
    [
      [{ path: './l', type: 'SymbolicLink', linkpath: '/etc' }],
      './l is a link that leads out of the tree, to /etc',
    ],
    [
      [{ path: './l', type: 'SymbolicLink', linkpath: '..' }],
      './l is a link that leads out of the tree, to ..',
    ],
    [
      [{ path: './a/l', type: 'SymbolicLink', linkpath: '../../x' }],
      './a/l is a link that leads out of the tree, to ../../x',
    ],
    [
      // By its text it stays inside; where `door` is a link to the root it does not.
      [{ path: './l', type: 'SymbolicLink', linkpath: 'door/../x' }],
      './l is a link that leads out of the tree, to door/../x',
    ],
    [
      [{ path: './h', type: 'Link', linkpath: '/etc/shadow' }],
      './h is a link that leads out of the tree, to /etc/shadow',
    ],
    [[{ path: './h', type: 'Link', linkpath: '../x' }], './h is a link that leads out of the tree, to ../x'],
    [
      [
        { path: './door', type: 'SymbolicLink', linkpath: 'inside' },
        { path: './door/x', content: 'x' },
      ],
      './door/x is behind a link',
    ],
    [[{ path: './null', type: 'CharacterDevice' }], './null is neither file, folder nor link'],
    [[{ path: './disk', type: 'BlockDevice' }], './disk is neither file, folder nor link'],
    [[{ path: './pipe', type: 'FIFO' }], './pipe is neither file, folder nor link'],
  ])('%j', (members, reason) => {
    for (const step of [1, 512, 10_000]) {
      const before = { path: './before', content: 'fine' }
      const found = refused([before, ...members, { path: './after' }], step)
      expect(found.reason).toBe(reason)
      // Nothing of its header has gone on, so that nobody can have unpacked it.
      const harmless = 1_024 + (members.length - 1) * 512
      expect(found.passed).toBeLessThan(harmless + 512)
    }
  })

  test.each([
    ['no archive', Buffer.from('<html>not found</html>'.repeat(100))],
    ['a compressed one', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2])],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0])],
  ])('%s', (_, bytes) => {
    const check = createTreeCheck((entry, reason) => new Error(`${entry} ${reason}`))
    expect(() => {
      check.take(bytes)
    }).toThrow(/^the stream is (no tar archive|compressed)/)
  })
})
