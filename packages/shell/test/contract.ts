import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
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
import { type CommandEvent, isProblem, type Problem, type Shell } from '@deployfile/core'
import { expect, test } from 'vitest'

/** A shell to test, and what can be seen of it from here. */
export interface Opened {
  readonly shell: Shell
  /** Where its relative paths start, as a path of this machine. */
  readonly folder: string
  /** Where local paths of transfers start. */
  readonly root: string
  readonly events: CommandEvent[]
}

export type Open = (options?: {
  readonly signal?: AbortSignal
  readonly emit?: (event: CommandEvent) => void
}) => Opened

export async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const error: unknown = await promise.then(
    (value) => new Error(`it resolved with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!isProblem(error)) throw error
  return error
}

/** What every door to a real shell keeps. `redact` of the provider must hide the word `s3cret-word`. */
export function shellContract(open: Open): void {
  commands(open)
  stopping(open)
  events(open)
  files(open)
  transfers(open)
}

function commands(open: Open): void {
  test('sh gives both streams', async () => {
    const { shell } = open()
    const done = await shell.sh`echo out; echo err >&2`
    expect(done).toMatchObject({ stdout: 'out\n', stderr: 'err\n', truncated: false })
  })

  test('anything but exit code 0 is a failure that says what and where', async () => {
    const { shell } = open()
    const problem = await problemOf(shell.sh`echo one; echo two >&2; exit 3`)
    expect(problem).toMatchObject({ code: 'COMMAND_FAILED', kind: 'task' })
    expect(problem.message).toBe(
      `${shell.host.name}: echo one; echo two >&2; exit 3 failed with exit code 3: two`,
    )
    expect(problem.details.command).toEqual({
      text: 'echo one; echo two >&2; exit 3',
      exitCode: 3,
      signal: null,
      tail: ['two'],
    })
  })

  test('death by a signal is a failure, not a missing exit code', async () => {
    const { shell } = open()
    const problem = await problemOf(shell.sh`kill -TERM $$`)
    expect(problem.details.command).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
    expect(problem.message).toContain('was killed by SIGTERM')
  })

  test('a program that is missing is named, with a hint about PATH', async () => {
    const { shell } = open()
    const problem = await problemOf(shell.run('no-such-program', ['x']))
    expect(problem.details.command?.exitCode).toBe(127)
    expect(problem.details.hint).toContain('PATH')
  })

  test('every character but NUL passes as a value', async () => {
    const { shell } = open()
    const all = Array.from({ length: 255 }, (_, at) => String.fromCharCode(at + 1)).join('')
    expect(await shell.capture`printf %s ${all}`).toBe(all)
    const problem = await problemOf(shell.sh`echo ${'a\0b'}`)
    expect(problem).toMatchObject({ code: 'VALUE_UNQUOTABLE', kind: 'usage' })
  })

  test('an array is one word for each element, and a value is never syntax', async () => {
    const { shell } = open()
    expect(await shell.capture`printf '[%s]' ${['a b', '$HOME', 7]} ${'; echo no'}`).toBe(
      '[a b][$HOME][7][; echo no]',
    )
  })

  test('capture drops trailing newlines and nothing else', async () => {
    const { shell } = open()
    expect(await shell.capture`printf '\n a \n\n'`).toBe('\n a ')
  })

  test('test is true for 0, false for 1, and an error for all else', async () => {
    const { shell } = open()
    expect(await shell.test`true`).toBe(true)
    expect(await shell.test`false`).toBe(false)
    expect((await problemOf(shell.test`exit 2`)).details.command?.exitCode).toBe(2)
  })

  test('a missing folder is a failure, and nothing runs elsewhere', async () => {
    const { shell, folder } = open()
    const lost = shell.with({ cwd: 'no/such/folder' })
    await problemOf(lost.sh`touch ran-elsewhere`)
    expect(readdirSync(folder)).not.toContain('ran-elsewhere')
    // `cd` fails with 1 in some shells, which test would take for an answer.
    expect((await problemOf(lost.test`true`)).code).toBe('COMMAND_FAILED')
    expect((await problemOf(lost.exists('x'))).code).toBe('COMMAND_FAILED')
  })

  test('with sets folder, umask and environment, and leaves the first shell as it was', async () => {
    const { shell, folder } = open()
    mkdirSync(join(folder, "it's a folder"))
    const other = shell.with({ cwd: "it's a folder", env: { GREETING: "it's $HOME" } }).with({ umask: 0o027 })
    expect(await other.capture`echo "$GREETING"; umask; basename "$PWD"`).toBe(
      "it's $HOME\n0027\nit's a folder",
    )
    expect(await shell.capture`echo "\${GREETING-none}"`).toBe('none')
    expect(() => shell.with({ env: { 'A=B': 'x' } })).toThrow(
      "'A=B' is not a name of an environment variable",
    )
  })

  test('standard input is empty, or what is given', async () => {
    const { shell } = open()
    expect(await shell.capture`cat`).toBe('')
    expect((await shell.run('cat', [], { input: 'héllo' })).stdout).toBe('héllo')
    const bytes = randomBytes(3_000_000)
    const counted = await shell.run('wc', ['-c'], { input: bytes })
    expect(Number(counted.stdout)).toBe(3_000_000)
  })

  test('input that nobody reads is no error', async () => {
    const { shell } = open()
    expect((await shell.run('true', [], { input: randomBytes(3_000_000) })).stdout).toBe('')
  })

  test('run passes words, not syntax', async () => {
    const { shell } = open()
    expect((await shell.run('printf', ['[%s]', '$(id)', '*', '', 3])).stdout).toBe('[$(id)][*][][3]')
  })

  test('a script gets its values and stops at the first failure', async () => {
    const { shell } = open()
    expect((await shell.script('printf "%s|" "$@"', ['a b', "it's"])).stdout).toBe("a b|it's|")
    expect((await problemOf(shell.script('echo one\nfalse\necho two'))).details.command?.tail).toEqual([
      'one',
    ])
    expect((await problemOf(shell.script('echo "$unset"'))).code).toBe('COMMAND_FAILED')
  })

  test('the commands of a script do not read the script', async () => {
    const { shell } = open()
    expect((await shell.script('cat\necho after')).stdout).toBe('after\n')
    expect((await shell.script('cat; echo "$1"', ['last'], { input: 'given\n' })).stdout).toBe(
      'given\nlast\n',
    )
  })

  test('a script of a megabyte and a command of 200 KB run', async () => {
    const { shell } = open()
    const lines = `: ${'x'.repeat(1000)}\n`.repeat(1000)
    expect((await shell.script(`${lines}echo end`)).stdout).toBe('end\n')
    expect(await shell.capture`printf %s ${'y'.repeat(200_000)} | wc -c | tr -d ' '`).toBe('200000')
  })

  test('long output is bounded: head and tail are kept', async () => {
    const { shell } = open()
    const done = await shell.sh`echo first; head -c 8000000 /dev/zero | tr '\0' x; echo; echo last`
    expect(done.truncated).toBe(true)
    expect(done.stdout.length).toBeLessThan(1_100_000)
    expect(done.stdout.startsWith('first\n') && done.stdout.endsWith('\nlast\n')).toBe(true)
    expect((await problemOf(shell.capture`head -c 2000000 /dev/zero`)).code).toBe('OUTPUT_TOO_LONG')
  })

  test('thirty commands at once all end, each with its own answer', async () => {
    const { shell } = open()
    const answers = await Promise.all(Array.from({ length: 30 }, (_, at) => shell.capture`echo ${at}`))
    expect(answers).toEqual(answers.map((_, at) => String(at)))
  })
}

function stopping(open: Open): void {
  test('a cancelled command is stopped with all its children', async () => {
    const stop = new AbortController()
    const { shell, folder } = open({ signal: stop.signal })
    const running = problemOf(shell.sh`sleep 1000 & echo $! > child; wait`)
    await until(
      () => existsSync(join(folder, 'child')) && readFileSync(join(folder, 'child'), 'utf8').endsWith('\n'),
    )
    stop.abort()
    expect(await running).toMatchObject({ code: 'COMMAND_CANCELLED', kind: 'task' })
    expect((await running).message).not.toContain('may still be running')
    const pid = Number(readFileSync(join(folder, 'child'), 'utf8'))
    await until(() => !alive(pid))
  })

  test('a command with input can be cancelled too', async () => {
    const stop = new AbortController()
    const { shell, folder } = open({ signal: stop.signal })
    const running = problemOf(shell.script('echo $$ > "$1"; exec sleep 1000', ['pid']))
    await until(
      () => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8').endsWith('\n'),
    )
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    stop.abort()
    expect((await running).code).toBe('COMMAND_CANCELLED')
    await until(() => !alive(pid))
  })

  test('after a cancel nothing starts', async () => {
    const { shell, folder } = open({ signal: AbortSignal.abort() })
    const problem = await problemOf(shell.sh`touch started-anyway`)
    expect(problem.message).toContain('it had not started')
    expect(readdirSync(folder)).not.toContain('started-anyway')
  })

  test('a timeout stops the command and names the time', async () => {
    const { shell } = open()
    const problem = await problemOf(shell.run('sleep', [1000], { timeout: 200 }))
    expect(problem).toMatchObject({ code: 'COMMAND_TIMEOUT', kind: 'task' })
    expect(problem.message).toContain('did not end within 0.2 s; it was stopped')
  })
}

function events(open: Open): void {
  test('tells of every command: started, lines, ended', async () => {
    const { shell, events } = open()
    await shell.sh`printf 'one\r\ntwo'; echo three >&2`
    await shell.capture`true`
    const ids = new Set(events.flatMap((event) => ('command' in event ? [event.command] : [])))
    expect(ids.size).toBe(2)
    expect(events[0]).toMatchObject({ type: 'command.started', reads: false, host: shell.host.name })
    const lines = events.flatMap((event) =>
      event.type === 'command.output' ? [`${event.stream} ${event.line}`] : [],
    )
    expect(lines.sort()).toEqual(['stderr three', 'stdout one', 'stdout two'])
    expect(events.filter((event) => event.type === 'command.ended').map((event) => event.exitCode)).toEqual([
      0, 0,
    ])
    expect(events.filter((event) => event.type === 'command.started').map((event) => event.reads)).toEqual([
      false,
      true,
    ])
  })

  test('secrets are hidden in texts, lines and errors, never in results', async () => {
    const { shell, events } = open()
    const problem = await problemOf(shell.sh`echo ${'s3cret-word'}; exit 1`)
    expect(JSON.stringify([events, problem.message, problem.details])).not.toContain('s3cret-word')
    expect(problem.message).toContain('***')
    expect(await shell.capture`echo ${'s3cret-word'}`).toBe('s3cret-word')
  })

  test('what a file holds is no line of output', async () => {
    const { shell, events } = open()
    await shell.writeFile('private', 'password: hidden\n')
    expect(await shell.readFile('private')).toBe('password: hidden\n')
    expect(JSON.stringify(events)).not.toContain('hidden')
  })

  test('characters cut by packets arrive whole', async () => {
    const { shell, events } = open()
    await shell.sh`yes €€€€€€€€€€€€€€€ | head -n 40000`
    const lines = events.flatMap((event) => (event.type === 'command.output' ? [event.line] : []))
    expect(lines).toHaveLength(40_000)
    expect(new Set(lines)).toEqual(new Set(['€'.repeat(15)]))
  })

  test('a listener that fails ends its command, and only that', async () => {
    const broken = open({
      emit: () => {
        throw new Error('the disk is full')
      },
    })
    await expect(broken.shell.sh`echo one; sleep 1000`).rejects.toThrow('the disk is full')
    expect(await open().shell.capture`echo fine`).toBe('fine')
  })
}

function files(open: Open): void {
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
    expect((await problemOf(shell.writeFile('folder', 'x'))).message).toContain('./folder is a folder')
    expect((await problemOf(shell.writeFile('none/x', 'x'))).code).toBe('COMMAND_FAILED')
    expect((await problemOf(shell.readFile('folder/none'))).message).toContain('folder/none')
  })

  test('mkdir makes parents, is content with what is there, and keeps its mode', async () => {
    const { shell, folder } = open()
    await shell.mkdir('m/n/o', { mode: 0o700 })
    await shell.mkdir('m/n/o')
    expect(statSync(join(folder, 'm/n/o')).mode & 0o7777).toBe(0o700)
    await shell.mkdir('m/p')
    expect(statSync(join(folder, 'm/p')).mode & 0o7777).toBe(0o755)
  })

  test.each([
    '',
    '/',
    '//',
    '.',
    './',
    '..',
    '~',
    '~/',
    '~/.',
    '~/..',
    '~/a/..',
    '../x',
    'a/../..',
    'a/..',
    '/etc/..',
  ])('refuses to remove %j', async (path) => {
    const { shell, events } = open()
    expect(await problemOf(shell.remove(path))).toMatchObject({ code: 'REMOVE_REFUSED', kind: 'usage' })
    expect(events).toEqual([])
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
    expect((await problemOf(shell.symlink('r1', 'real'))).message).toContain('./real is a folder, not a link')
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

function transfers(open: Open): void {
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

function tryReadlink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return 'missing'
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    // A killed child that nobody has waited for yet is dead all the same.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'))
  } catch {
    return !existsSync('/proc/self/stat')
  }
}

/** Polls, because what is awaited happens in another process. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never became true: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
