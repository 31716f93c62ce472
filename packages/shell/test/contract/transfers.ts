import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Open, type Opened, problemOf, until } from './opened.ts'

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
    expect(statSync(join(root, 'empty-back')).size).toBe(0)
  })

  test('a file of 0 to 140 bytes comes down whole: no length is mistaken for the end', async () => {
    const { shell, folder, root } = open()
    for (const size of [1, 67, 68, 69, 135, 136, 137]) {
      const bytes = randomBytes(size)
      writeFileSync(join(folder, 'short'), bytes)
      expect(await shell.downloadFile('short', 'short-back')).toBe(size)
      expect(readFileSync(join(root, 'short-back')).equals(bytes)).toBe(true)
    }
  })

  test.each(['-rf', 'two words', "quo'te", 'line\nbreak', '$(id)', '*', 'ünï', 'a\\b'])(
    'a file named %j goes there and back',
    async (name) => {
      const { shell, folder, root } = open()
      writeFileSync(join(root, name), `content of ${name}`)
      await shell.uploadFile(name, `up-${name}`)
      await shell.uploadFile(name, name)
      expect(readFileSync(join(folder, name), 'utf8')).toBe(`content of ${name}`)
      await shell.downloadFile(name, `odd/${name}`)
      expect(readFileSync(join(root, 'odd', name), 'utf8')).toBe(`content of ${name}`)
    },
  )

  test('what is missing is named, and nothing is left', async () => {
    const { shell, root } = open()
    expect((await problemOf(shell.uploadFile('no-such', 'x'))).message).toBe(
      `this machine: ${join(root, 'no-such')} cannot be read: there is no such file or folder`,
    )
    expect((await problemOf(shell.uploadDir('no-such', 'x'))).message).toBe(
      `this machine: ${join(root, 'no-such')} cannot be read: there is no such file or folder`,
    )
    const host = shell.host.name
    expect((await problemOf(shell.downloadFile('no-such', 'nothing-here'))).message).toBe(
      `${host}: no-such cannot be read: there is no such file or folder`,
    )
    expect((await problemOf(shell.downloadDir('no-such', 'nothing-here'))).message).toBe(
      `${host}: no-such cannot be read: there is no such folder`,
    )
    expect(left(root, 'nothing-here')).toEqual([])
  })

  test('a file is no folder, and a folder no file', async () => {
    const { shell, root, folder } = open()
    const host = shell.host.name
    mkdirSync(join(root, 'kind/folder'), { recursive: true })
    writeFileSync(join(root, 'kind/file'), 'x')
    await shell.uploadDir('kind', 'kind-there')
    const said = async (promise: Promise<unknown>): Promise<string> => {
      const problem = await problemOf(promise)
      expect(problem).toMatchObject({ code: 'WRONG_KIND', kind: 'task' })
      return problem.message
    }
    const here = (path: string) => `this machine: ${join(root, path)}`
    expect(await said(shell.uploadFile('kind/folder', 'x'))).toBe(
      `${here('kind/folder')} cannot be read: it is a folder`,
    )
    expect(await said(shell.uploadDir('kind/file', 'x'))).toBe(
      `${here('kind/file')} cannot be read: it is no folder`,
    )
    expect(await said(shell.uploadFile('kind/file', 'kind-there/folder'))).toBe(
      `${host}: kind-there/folder cannot be written: it is a folder`,
    )
    expect(await said(shell.uploadDir('kind/folder', 'kind-there/file'))).toBe(
      `${host}: kind-there/file cannot be written: it exists and is no folder`,
    )
    expect(await said(shell.downloadFile('kind-there/folder', 'x'))).toBe(
      `${host}: kind-there/folder cannot be read: it is a folder`,
    )
    expect(await said(shell.downloadDir('kind-there/file', 'x'))).toBe(
      `${host}: kind-there/file cannot be read: it is no folder`,
    )
    expect(await said(shell.downloadFile('kind-there/file', 'kind/folder'))).toBe(
      `${here('kind/folder')} cannot be written: it is a folder`,
    )
    expect(await said(shell.downloadDir('kind-there/folder', 'kind/file'))).toBe(
      `${here('kind/file')} cannot be written: it exists and is no folder`,
    )
    expect(await said(shell.downloadDir('kind-there/folder', 'kind'))).toBe(
      `${here('kind')} cannot be written: it exists and is not empty`,
    )
    for (const place of [join(root, 'kind'), join(folder, 'kind-there')])
      expect(readdirSync(place).sort()).toEqual(['file', 'folder'])
  })

  test('a link in the place of a file is replaced, and what it leads to left alone', async () => {
    const { shell, root, folder } = open()
    for (const place of [root, folder]) {
      mkdirSync(join(place, 'links'), { recursive: true })
      writeFileSync(join(place, 'links/kept'), 'kept')
      symlinkSync('kept', join(place, 'links/door'))
      symlinkSync('/no/where', join(place, 'links/dangling'))
    }
    writeFileSync(join(root, 'links/source'), 'new')
    for (const name of ['links/door', 'links/dangling']) {
      await shell.uploadFile('links/source', name)
      expect(readFileSync(join(folder, name), 'utf8')).toBe('new')
      await shell.writeFile(name, 'newer')
      await shell.downloadFile(name, name)
      expect(readFileSync(join(root, name), 'utf8')).toBe('newer')
    }
    for (const place of [root, folder]) expect(readFileSync(join(place, 'links/kept'), 'utf8')).toBe('kept')
  })

  test('eight writers of one name: it has the content of one of them, and nothing else is left', async () => {
    const { shell, root, folder } = open()
    const contents = Array.from({ length: 8 }, () => randomBytes(200_000))
    await shell.mkdir('race')
    await Promise.all(
      contents.map(async (content, at) => {
        writeFileSync(join(root, `race-${String(at)}`), content)
        await (at % 2 === 0
          ? shell.writeFile('race/it', content)
          : shell.uploadFile(`race-${String(at)}`, 'race/it'))
      }),
    )
    const found = readFileSync(join(folder, 'race/it'))
    expect(contents.some((content) => content.equals(found))).toBe(true)
    expect(readdirSync(join(folder, 'race'))).toEqual(['it'])
    await Promise.all(contents.map(() => shell.downloadFile('race/it', 'race-back/it', { resume: true })))
    expect(readFileSync(join(root, 'race-back/it')).equals(found)).toBe(true)
    expect(readdirSync(join(root, 'race-back'))).toEqual(['it'])
  })

  test('progress is told in bytes with a total that is reached, and not too often', async () => {
    const { shell, root, events } = open()
    mkdirSync(join(root, 'told'))
    for (let at = 0; at < 30; at++) writeFileSync(join(root, 'told', `f${String(at)}`), randomBytes(300_000))
    const work = [
      () => shell.uploadDir('told', 'told-there'),
      () => shell.downloadDir('told-there', 'told-back'),
      () => shell.uploadFile('told/f0', 'told-f0'),
      () => shell.downloadFile('told-f0', 'told-back-f0'),
    ]
    for (const transfer of work) {
      events.length = 0
      const begun = performance.now()
      await transfer()
      const seconds = (performance.now() - begun) / 1000
      const told = events.filter((event) => event.type === 'transfer')
      expect(told.length).toBeGreaterThan(0)
      expect(told.length).toBeLessThanOrEqual(10 * seconds + 2)
      const last = told.at(-1)
      expect(last?.bytes).toBe(last?.total)
      for (const event of told.slice(0, -1)) expect(event.bytes).toBeLessThan(event.total ?? 0)
    }
  })

  test('a log that grows while it comes down is whole up to where it was read', async () => {
    const { folder } = open()
    const path = join(folder, 'app.log')
    const before = randomBytes(20_000_000)
    writeFileSync(path, before)
    let grown = 0
    const { shell, root } = open({
      emit: (event) => {
        if (event.type !== 'transfer' || grown > 3) return
        grown++
        appendFileSync(path, `line ${String(grown)}\n`)
      },
    })
    const bytes = await shell.downloadFile('app.log', 'app.log')
    const found = readFileSync(join(root, 'app.log'))
    expect(grown).toBeGreaterThan(0)
    expect(found.length).toBe(bytes)
    expect(bytes).toBeGreaterThanOrEqual(before.length)
    expect(readFileSync(path).subarray(0, bytes).equals(found)).toBe(true)
  })

  test('a log that grows while it goes up is whole up to where it was hashed; a file that is rewritten is not taken', async () => {
    const { folder } = open()
    const growing = randomBytes(8_000_000)
    let change = (): void => undefined
    const { shell, root } = open({
      emit: (event) => {
        if (event.type !== 'transfer') return
        change()
        change = () => undefined
      },
    })
    for (const name of ['log', 'page']) writeFileSync(join(root, name), growing)
    change = () => appendFileSync(join(root, 'log'), 'line\n')
    await shell.uploadFile('log', 'log-there')
    expect(readFileSync(join(folder, 'log-there')).equals(growing)).toBe(true)
    expect(statSync(join(root, 'log')).size).toBe(8_000_005)
    change = () => truncateSync(join(root, 'page'), 7_000_000)
    const problem = await problemOf(shell.uploadFile('page', 'page-there'))
    expect(problem).toMatchObject({ code: 'TRANSFER_BROKEN', kind: 'task', details: { retryable: true } })
    expect(problem.message).toBe(
      `${shell.host.name}: page-there cannot be written: only 7000000 of 8000000 bytes arrived`,
    )
    expect(left(folder, 'page-there')).toEqual([])
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

  /** A download that is cancelled when the first of it has arrived. Returns what is left beside the target. */
  const half = async (from: string, to: string, resume: boolean): Promise<string[]> => {
    const stop = new AbortController()
    const { shell, root } = open({
      signal: stop.signal,
      emit: (event) => {
        if (event.type === 'transfer') stop.abort()
      },
    })
    expect((await problemOf(shell.downloadFile(from, to, { resume }))).code).toBe('COMMAND_CANCELLED')
    return left(root, to)
  }
  const firstTold = ({ events }: Opened): number => {
    const event = events.find((event) => event.type === 'transfer')
    return event?.type === 'transfer' ? event.bytes : 0
  }

  test('a cancelled download leaves nothing', async () => {
    const { folder } = open()
    writeFileSync(join(folder, 'stopped'), randomBytes(20_000_000))
    expect(await half('stopped', 'stopped-here', false)).toEqual([])
  })

  test('with resume it leaves what it has, and the next one continues there', async () => {
    const opened = open()
    const { shell, folder, root } = opened
    const content = randomBytes(20_000_000)
    writeFileSync(join(folder, 'resumed'), content)
    const [part = '', ...others] = await half('resumed', 'resumed-here', true)
    expect(others).toEqual([])
    const { size } = statSync(join(root, part))
    expect(size).toBeGreaterThan(0)
    expect(await shell.downloadFile('resumed', 'resumed-here', { resume: true })).toBe(content.length)
    // On a quick link all of it may have arrived before the cancel took effect.
    expect(firstTold(opened)).toBeGreaterThanOrEqual(size)
    expect(readFileSync(join(root, 'resumed-here')).equals(content)).toBe(true)
    expect(left(root, 'resumed-here')).toEqual(['resumed-here'])
  })

  test('what was left is not trusted: the hash is of the whole file', async () => {
    const { shell, folder, root } = open()
    const content = randomBytes(20_000_000)
    writeFileSync(join(folder, 'damaged'), content)
    const [part = ''] = await half('damaged', 'damaged-here', true)
    writeFileSync(join(root, part), randomBytes(statSync(join(root, part)).size))
    expect(await shell.downloadFile('damaged', 'damaged-here', { resume: true })).toBe(content.length)
    expect(readFileSync(join(root, 'damaged-here')).equals(content)).toBe(true)
    expect(left(root, 'damaged-here')).toEqual(['damaged-here'])
  })

  test('what was left of a file that has changed since is not used', async () => {
    const opened = open()
    const { shell, folder, root } = opened
    writeFileSync(join(folder, 'changed'), randomBytes(20_000_000))
    await half('changed', 'changed-here', true)
    const content = randomBytes(19_000_000)
    writeFileSync(join(folder, 'changed'), content)
    expect(await shell.downloadFile('changed', 'changed-here', { resume: true })).toBe(content.length)
    expect(readFileSync(join(root, 'changed-here')).equals(content)).toBe(true)
    expect(left(root, 'changed-here')).toEqual(['changed-here'])
  })

  test('what was left of another file is left alone', async () => {
    const { shell, folder, root } = open()
    writeFileSync(join(folder, 'one'), randomBytes(20_000_000))
    writeFileSync(join(folder, 'other'), 'other')
    const parts = await half('one', 'either-here', true)
    expect(await shell.downloadFile('other', 'either-here', { resume: true })).toBe(5)
    expect(readFileSync(join(root, 'either-here'), 'utf8')).toBe('other')
    expect(left(root, 'either-here').sort()).toEqual([...parts, 'either-here'].sort())
  })
}

function left(root: string, name: string): string[] {
  return readdirSync(root).filter((entry) => entry.includes(name))
}
