import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Open, problemOf } from './opened.ts'

export function files(open: Open): void {
  test.each(['plain', '-rf', 'two words', "quo'te", 'line\nbreak', '$(id)', '*', 'ünï', 'a\\b'])(
    'writes and reads a file named %j',
    async (name) => {
      const { shell, folder } = open()
      await shell.writeFile(`files-${String(name.length)}${name}`, 'x')
      await shell.mkdir(name)
      await shell.writeFile(`${name}/${name}`, `content of ${name}`)
      expect(readFileSync(join(folder, name, name), 'utf8')).toBe(`content of ${name}`)
      expect(await shell.readFile(`${name}/${name}`)).toBe(`content of ${name}`)
      expect(await shell.exists(`${name}/${name}`)).toBe(true)
      await shell.remove(name)
      expect(await shell.exists(name)).toBe(false)
    },
  )

  test('a written file has its mode, replaces the old one and leaves nothing beside it', async () => {
    const { shell, folder } = open()
    await shell.mkdir('modes')
    await shell.writeFile('modes/a', 'one', { mode: 0o600 })
    await shell.writeFile('modes/a', Buffer.from([0, 255, 10, 0]), { mode: 0o755 })
    expect(readFileSync(join(folder, 'modes/a'))).toEqual(Buffer.from([0, 255, 10, 0]))
    expect(statSync(join(folder, 'modes/a')).mode & 0o7777).toBe(0o755)
    expect(readdirSync(join(folder, 'modes'))).toEqual(['a'])
    await shell.writeFile('modes/b', '')
    expect(statSync(join(folder, 'modes/b')).mode & 0o7777).toBe(0o644)
    await shell.with({ umask: 0o007 }).writeFile('modes/c', '')
    expect(statSync(join(folder, 'modes/c')).mode & 0o7777).toBe(0o660)
  })

  test('a file is not written over a folder, and not without its folder', async () => {
    const { shell } = open()
    await shell.mkdir('folder/inner')
    expect((await problemOf(shell.writeFile('folder', 'x'))).message).toContain(
      'folder cannot be written: it is a folder',
    )
    expect((await problemOf(shell.writeFile('none/x', 'x'))).code).toBe('FILE_MISSING')
    expect((await problemOf(shell.readFile('folder/none'))).message).toContain('folder/none')
  })

  test('a file of more than 16 MiB is not read into a string', async () => {
    const { shell, folder } = open()
    writeFileSync(join(folder, 'long'), '')
    truncateSync(join(folder, 'long'), 17 * 1024 * 1024)
    const problem = await problemOf(shell.readFile('long'))
    expect(problem).toMatchObject({ code: 'OUTPUT_TOO_LONG', kind: 'task', details: { path: 'long' } })
    expect(problem.details.hint).toContain('downloadFile')
  })

  test('mkdir makes parents, is content with what is there, and keeps its mode', async () => {
    const { shell, folder } = open()
    await shell.mkdir('m/n/o', { mode: 0o700 })
    await shell.mkdir('m/n/o')
    expect(statSync(join(folder, 'm/n/o')).mode & 0o7777).toBe(0o700)
    await shell.mkdir('m/p')
    expect(statSync(join(folder, 'm/p')).mode & 0o7777).toBe(0o755)
  })

  test('refuses to remove the home and what it is in, by whatever name', async () => {
    const { shell, folder } = open()
    mkdirSync(join(folder, 'home/me'), { recursive: true })
    writeFileSync(join(folder, 'home/me/keep'), '')
    const guest = shell.with({ cwd: 'home/me' })
    expect((await problemOf(guest.remove(join(folder, 'home/me')))).message).toContain('refused to remove')
    expect((await problemOf(guest.remove(join(folder, 'home')))).message).toContain('refused to remove')
    expect((await problemOf(shell.remove(await shell.capture`echo "$HOME"`))).message).toContain(
      'refused to remove',
    )
    expect(readdirSync(join(folder, 'home/me'))).toEqual(['keep'])
    await shell.remove('home/none')
  })

  test('a link to a folder is removed, not what it leads to', async () => {
    const { shell, folder } = open()
    await shell.mkdir('kept/inner')
    await shell.symlink('kept', 'door')
    await shell.remove('door/')
    expect(existsSync(join(folder, 'kept/inner'))).toBe(true)
    expect(existsSync(join(folder, 'door'))).toBe(false)
  })

  test('a link is replaced in one step: whoever looks always finds one', async () => {
    const { shell, folder } = open()
    await shell.mkdir('r1')
    await shell.mkdir('r2')
    await shell.symlink('r1', 'current')
    let missing = 0
    let looks = 0
    const watch = setInterval(() => {
      looks++
      if (!['r1', 'r2'].includes(tryReadlink(join(folder, 'current')))) missing++
    }, 0)
    for (let flip = 0; flip < 20; flip++) await shell.symlink(flip % 2 === 0 ? 'r2' : 'r1', 'current')
    clearInterval(watch)
    expect(looks).toBeGreaterThan(0)
    expect(missing).toBe(0)
    expect(readlinkSync(join(folder, 'current'))).toBe('r1')
    // `mv` without -T, or `ln -sf` without -n, would have put links into the folders.
    expect([...readdirSync(join(folder, 'r1')), ...readdirSync(join(folder, 'r2'))]).toEqual([])
  })

  test('a folder in the place of a link is refused, and left alone', async () => {
    const { shell, folder } = open()
    await shell.mkdir('real/inner')
    expect((await problemOf(shell.symlink('r1', 'real'))).message).toContain(
      'real cannot be written: it is a folder, not a link',
    )
    expect(readdirSync(join(folder, 'real'))).toEqual(['inner'])
  })

  test('a link may lead anywhere, by any name', async () => {
    const { shell, folder } = open()
    for (const target of ['-n', 'a b', "it's", '/no/where', 'line\n']) {
      await shell.symlink(target, 'odd')
      expect(readlinkSync(join(folder, 'odd'))).toBe(target)
    }
  })

  test('rename puts a thing under a name, never into a folder of that name', async () => {
    const { shell, folder } = open()
    await shell.mkdir('from/inner')
    await shell.mkdir('to/full')
    await problemOf(shell.rename('from', 'to'))
    expect(readdirSync(join(folder, 'to'))).toEqual(['full'])
    await shell.rename('from', 'fresh')
    expect(readdirSync(join(folder, 'fresh'))).toEqual(['inner'])
    await problemOf(shell.rename('no-such-file', 'x'))
  })
}

function tryReadlink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return 'missing'
  }
}
