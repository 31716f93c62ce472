import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Open, problemOf, until } from './opened.ts'

const ODD_NAMES = [
  '-dash',
  '--help',
  "quo'te",
  'dou"ble',
  'line\nbreak',
  'a\\b',
  '*',
  '$(id)',
  ' ',
  'ünï',
  '@at',
  '#x',
]

export function trees(open: Open): void {
  test('a tree keeps modes, dotfiles, empty folders, links and odd names, both ways', async () => {
    const { shell, folder, root } = open()
    const from = join(root, 'tree')
    mkdirSync(join(from, '.hidden/deep'), { recursive: true })
    mkdirSync(join(from, 'empty'))
    chmodSync(join(from, 'empty'), 0o711)
    writeFileSync(join(from, '.env'), 'A=1')
    writeFileSync(join(from, 'run.sh'), '#!/bin/sh\n')
    chmodSync(join(from, 'run.sh'), 0o775)
    writeFileSync(join(from, '.hidden/deep/locked'), 'x')
    chmodSync(join(from, '.hidden/deep/locked'), 0o400)
    writeFileSync(join(from, 'group'), '')
    chmodSync(join(from, 'group'), 0o666)
    writeFileSync(join(from, `${'ü'.repeat(100)} long`), 'long')
    const deep = join(from, ...Array.from({ length: 8 }, () => 'deeper'.repeat(10)))
    mkdirSync(deep, { recursive: true })
    writeFileSync(join(deep, 'bottom'), 'deep')
    symlinkSync('../'.repeat(7) + 'run.sh', join(deep, 'up'))
    for (const name of ODD_NAMES) {
      mkdirSync(join(from, 'odd', name), { recursive: true })
      writeFileSync(join(from, 'odd', name, name), name)
      symlinkSync(name, join(from, 'odd', name, `to ${name}`))
    }
    symlinkSync('run.sh', join(from, 'link'))
    symlinkSync('.hidden/deep', join(from, 'folder-link'))
    symlinkSync('not/there', join(from, 'dangling'))
    chmodSync(from, 0o750)
    await shell.uploadDir('tree', 'copied')
    expect(listing(join(folder, 'copied'))).toEqual(listing(from))
    expect(left(folder, 'copied')).toEqual(['copied'])
    expect(await shell.downloadDir('copied', 'parents/too/tree')).toBeGreaterThan(0)
    expect(listing(join(root, 'parents/too/tree'))).toEqual(listing(from))
    expect(readdirSync(join(root, 'parents/too'))).toEqual(['tree'])
  })

  test('names that are no UTF-8 travel as the bytes they are', async () => {
    const { shell, folder, root } = open()
    mkdirSync(join(root, 'bytes'))
    const name = Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0x80])
    writeFileSync(Buffer.concat([Buffer.from(`${join(root, 'bytes')}/`), name]), 'odd')
    await shell.uploadDir('bytes', 'bytes-there')
    expect(readdirSync(join(folder, 'bytes-there'), { encoding: 'buffer' })).toEqual([name])
    await shell.downloadDir('bytes-there', 'bytes-back')
    expect(readdirSync(join(root, 'bytes-back'), { encoding: 'buffer' })).toEqual([name])
  })

  test('two names of one file stay two names of one file', async () => {
    const { shell, folder, root } = open()
    mkdirSync(join(root, 'twins'))
    writeFileSync(join(root, 'twins/a'), 'both')
    linkSync(join(root, 'twins/a'), join(root, 'twins/b'))
    await shell.uploadDir('twins', 'twins-there')
    await shell.downloadDir('twins-there', 'twins-back')
    for (const place of [join(folder, 'twins-there'), join(root, 'twins-back')]) {
      expect(readFileSync(join(place, 'b'), 'utf8')).toBe('both')
      expect(lstatSync(join(place, 'a')).ino).toBe(lstatSync(join(place, 'b')).ino)
    }
  })

  test('a tree whose folders nobody may write to travels, and is cleared away after a failure', async () => {
    const { shell, folder, root } = open()
    mkdirSync(join(root, 'closed/inner'), { recursive: true })
    writeFileSync(join(root, 'closed/inner/file'), 'x')
    chmodSync(join(root, 'closed/inner'), 0o555)
    chmodSync(join(root, 'closed'), 0o555)
    await shell.uploadDir('closed', 'closed-there')
    await shell.downloadDir('closed-there', 'closed-back')
    expect(listing(join(root, 'closed-back'))).toEqual(listing(join(root, 'closed')))
    expect(left(folder, 'closed-there')).toEqual(['closed-there'])
    expect(left(root, 'closed-back')).toEqual(['closed-back'])
  })

  test('exclude leaves out what a .gitignore of these lines would', async () => {
    const { shell, folder, root } = open()
    for (const path of ['a/node_modules/x', 'node_modules/y', 'tmp/z', 'a/tmp/kept', 'js'])
      mkdirSync(join(root, 'sieve', path), { recursive: true })
    for (const path of ['js/app.js', 'js/app.js.map', 'js/keep.map', 'a/tmp/kept/file', '.env', 'odd\nname'])
      writeFileSync(join(root, 'sieve', path), path)
    await shell.uploadDir('sieve', 'sieved', {
      exclude: ['node_modules', '*.map', '!keep.map', '/tmp', '.env'],
    })
    const names = readdirSync(join(folder, 'sieved'), { recursive: true, encoding: 'utf8' })
    expect(names.sort()).toEqual(
      ['a', 'a/tmp', 'a/tmp/kept', 'a/tmp/kept/file', 'js', 'js/app.js', 'js/keep.map', 'odd\nname'].sort(),
    )
  })

  test('a tree takes the place of an empty folder, not of one that holds something', async () => {
    const { shell, folder, root } = open()
    mkdirSync(join(root, 'small/a'), { recursive: true })
    await shell.mkdir('place')
    await shell.uploadDir('small', 'place')
    expect(readdirSync(join(folder, 'place'))).toEqual(['a'])
    expect((await problemOf(shell.uploadDir('small', 'place'))).message).toBe(
      `${shell.host.name}: place cannot be written: it exists and is not empty`,
    )
    mkdirSync(join(root, 'place-back'))
    await shell.downloadDir('place', 'place-back')
    expect(readdirSync(join(root, 'place-back'))).toEqual(['a'])
    expect(left(folder, 'place')).toEqual(['place'])
    expect(left(root, 'place-back')).toEqual(['place-back'])
  })

  test('of eight uploads to one name one is put there, whole', async () => {
    const { shell, folder, root } = open()
    for (let at = 0; at < 8; at++) {
      mkdirSync(join(root, `rival-${String(at)}`))
      for (const name of ['a', 'b']) writeFileSync(join(root, `rival-${String(at)}`, name), String(at))
    }
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) => shell.uploadDir(`rival-${String(at)}`, 'rivals')),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = String(results.findIndex(({ status }) => status === 'fulfilled'))
    for (const name of ['a', 'b']) expect(readFileSync(join(folder, 'rivals', name), 'utf8')).toBe(winner)
    expect(left(folder, 'rivals')).toEqual(['rivals'])
  })

  test('a special file does not travel, and is named', async () => {
    const { shell, folder, root } = open()
    for (const place of [root, folder]) {
      mkdirSync(join(place, 'special/sub'), { recursive: true })
      execFileSync('mkfifo', [join(place, 'special/sub/pipe')])
    }
    const up = await problemOf(shell.uploadDir('special', 'special-there'))
    expect(up).toMatchObject({ code: 'WRONG_KIND', kind: 'task' })
    expect(up.message).toBe(
      `this machine: ${join(root, 'special/sub/pipe')} cannot travel: it is no file, folder or link`,
    )
    expect(up.details.hint).toBe("Remove it, or leave it out: exclude: ['/sub/pipe']")
    await shell.uploadDir('special', 'special-there', { exclude: ['/sub/pipe'] })
    const down = await problemOf(shell.downloadDir('special', 'special-back'))
    expect(down).toMatchObject({ code: 'TREE_REFUSED', kind: 'task' })
    expect(down.message).toBe(
      `${shell.host.name}: special was not taken: ./sub/pipe is neither file, folder nor link`,
    )
    expect(left(root, 'special-back')).toEqual([])
    // Nor is it waited for, or written over.
    expect((await problemOf(shell.readFile('special/sub/pipe'))).code).toBe('WRONG_KIND')
    expect((await problemOf(shell.writeFile('special/sub/pipe', 'x'))).code).toBe('WRONG_KIND')
    expect((await problemOf(shell.downloadFile('special/sub/pipe', 'x'))).code).toBe('WRONG_KIND')
    expect((await problemOf(shell.uploadFile('special/sub/pipe', 'x'))).code).toBe('WRONG_KIND')
    expect(lstatSync(join(folder, 'special/sub/pipe')).isFIFO()).toBe(true)
  })

  test.each([
    ['/etc/passwd', 'to /etc/passwd'],
    ['../outside', 'to ../outside'],
    ['sub/../../outside', 'to sub/../../outside'],
  ])('a link to %s comes from no host', async (target, said) => {
    const { shell, folder, root } = open()
    const name = `leading-${String(target.length)}`
    mkdirSync(join(folder, name, 'sub'), { recursive: true })
    writeFileSync(join(folder, name, 'a'), 'x')
    symlinkSync(target, join(folder, name, 'way-out'))
    const problem = await problemOf(shell.downloadDir(name, `${name}-back`))
    expect(problem).toMatchObject({ code: 'TREE_REFUSED', kind: 'task' })
    expect(problem.message).toBe(
      `${shell.host.name}: ${name} was not taken: ./way-out is a link that leads out of the tree, ${said}`,
    )
    expect(left(root, `${name}-back`)).toEqual([])
    // Up it goes: whoever uploads it knows it.
    symlinkSync(target, join(root, `${name}-link`))
    mkdirSync(join(root, name))
    symlinkSync(target, join(root, name, 'way-out'))
    await shell.uploadDir(name, `${name}-up`)
    expect(readlinkSync(join(folder, `${name}-up`, 'way-out'))).toBe(target)
  })

  test('a cancelled download of a tree leaves nothing', async () => {
    const stop = new AbortController()
    const { shell, folder, root } = open({
      signal: stop.signal,
      emit: (event) => {
        if (event.type === 'transfer') stop.abort()
      },
    })
    mkdirSync(join(folder, 'stopped-tree'))
    for (let at = 0; at < 20; at++)
      writeFileSync(join(folder, 'stopped-tree', String(at)), randomBytes(1_000_000))
    const problem = await problemOf(shell.downloadDir('stopped-tree', 'stopped-tree-here'))
    expect(problem.code).toBe('COMMAND_CANCELLED')
    expect(left(root, 'stopped-tree-here')).toEqual([])
  })

  test('a cancelled upload of a tree leaves nothing', async () => {
    const stop = new AbortController()
    const { shell, folder, root } = open({
      signal: stop.signal,
      emit: (event) => {
        if (event.type === 'transfer') stop.abort()
      },
    })
    mkdirSync(join(root, 'stopped-up'))
    for (let at = 0; at < 20; at++)
      writeFileSync(join(root, 'stopped-up', String(at)), randomBytes(1_000_000))
    const problem = await problemOf(shell.uploadDir('stopped-up', 'stopped-up-there'))
    expect(problem.code).toBe('COMMAND_CANCELLED')
    await until(() => left(folder, 'stopped-up-there').length === 0)
  })
}

function left(root: string, name: string): string[] {
  return readdirSync(root).filter((entry) => entry.includes(name))
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
