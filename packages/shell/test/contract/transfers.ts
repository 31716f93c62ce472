import { randomBytes } from 'node:crypto'
import {
  chmodSync,
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
import { expect, test } from 'vitest'
import { type Open, problemOf, until } from './opened.ts'

export function transfers(open: Open): void {
  test('a file goes there and back, byte for byte', async () => {
    const { shell, folder, root, events } = open()
    const bytes = randomBytes(5_000_000)
    writeFileSync(join(root, 'big.bin'), bytes)
    await shell.uploadFile('big.bin', 'uploaded.bin', { mode: 0o640 })
    expect(readFileSync(join(folder, 'uploaded.bin')).equals(bytes)).toBe(true)
    expect(statSync(join(folder, 'uploaded.bin')).mode & 0o7777).toBe(0o640)
    expect(await shell.downloadFile('uploaded.bin', 'back/big.bin', { mode: 0o600 })).toBe(bytes.length)
    expect(readFileSync(join(root, 'back/big.bin')).equals(bytes)).toBe(true)
    expect(statSync(join(root, 'back/big.bin')).mode & 0o7777).toBe(0o600)
    expect(readdirSync(join(root, 'back'))).toEqual(['big.bin'])
    const last = events.filter((event) => event.type === 'transfer').at(-1)
    expect(last).toMatchObject({ bytes: bytes.length, total: bytes.length })
  })

  test('an empty file is a file', async () => {
    const { shell, folder, root } = open()
    writeFileSync(join(root, 'empty'), '')
    await shell.uploadFile('empty', 'empty-there')
    expect(statSync(join(folder, 'empty-there')).size).toBe(0)
    expect(await shell.downloadFile('empty-there', 'empty-back')).toBe(0)
  })

  test('what is missing is named, and nothing is left', async () => {
    const { shell, root } = open()
    expect((await problemOf(shell.uploadFile('no-such', 'x'))).message).toContain('no-such cannot be read')
    expect((await problemOf(shell.uploadDir('no-such', 'x'))).message).toContain('no-such cannot be read')
    expect((await problemOf(shell.downloadFile('no-such', 'nothing-here'))).message).toContain('no-such')
    expect(readdirSync(root).filter((name) => name.startsWith('nothing-here'))).toEqual([])
  })

  test('a tree keeps modes, dotfiles, links and odd names', async () => {
    const { shell, folder, root } = open()
    const from = join(root, 'tree')
    mkdirSync(join(from, '.hidden/deep'), { recursive: true })
    mkdirSync(join(from, 'empty'))
    writeFileSync(join(from, '.env'), 'A=1')
    writeFileSync(join(from, 'run.sh'), '#!/bin/sh\n')
    chmodSync(join(from, 'run.sh'), 0o775)
    writeFileSync(join(from, '.hidden/deep/locked'), 'x')
    chmodSync(join(from, '.hidden/deep/locked'), 0o400)
    writeFileSync(join(from, `${'ü'.repeat(100)} long`), 'long')
    writeFileSync(join(from, '-dash\nline'), 'odd')
    symlinkSync('run.sh', join(from, 'link'))
    symlinkSync('/no/where', join(from, 'dangling'))
    chmodSync(from, 0o750)
    await shell.uploadDir('tree', 'copied')
    expect(listing(join(folder, 'copied'))).toEqual(listing(from))
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('a tree takes the place of an empty folder, not of one that holds something', async () => {
    const { shell, folder, root } = open()
    mkdirSync(join(root, 'small/a'), { recursive: true })
    await shell.mkdir('place')
    await shell.uploadDir('small', 'place')
    expect(readdirSync(join(folder, 'place'))).toEqual(['a'])
    expect((await problemOf(shell.uploadDir('small', 'place'))).message).toContain('exists and is not empty')
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('a cancelled upload leaves nothing', async () => {
    const stop = new AbortController()
    const { shell, folder, root } = open({
      signal: stop.signal,
      emit: (event) => {
        if (event.type === 'transfer') stop.abort()
      },
    })
    writeFileSync(join(root, 'huge.bin'), randomBytes(20_000_000))
    expect((await problemOf(shell.uploadFile('huge.bin', 'huge-there'))).code).toBe('COMMAND_CANCELLED')
    await until(() => readdirSync(folder).every((name) => !name.includes('huge-there')))
  })
}

function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .concat('.')
    .sort()
    .map((name) => {
      const path = join(folder, name)
      const found = lstatSync(path)
      const content = found.isSymbolicLink()
        ? readlinkSync(path)
        : found.isFile()
          ? readFileSync(path, 'utf8')
          : ''
      return `${name} ${found.mode.toString(8)} ${content}`
    })
}
