import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Open, problemOf } from './opened.ts'

export function commands(open: Open): void {
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
    const { output, ...command } = problem.details.command ?? {}
    expect(command).toEqual({
      text: 'echo one; echo two >&2; exit 3',
      exitCode: 3,
      signal: null,
      tail: ['two'],
    })
    // Two streams: which of two lines arrives first is the system's to say.
    expect([...(output ?? [])].sort((a, b) => a.line.localeCompare(b.line))).toEqual([
      { stream: 'stdout', line: 'one' },
      { stream: 'stderr', line: 'two' },
    ])
  })

  test('death by a signal is a failure, not a missing exit code', async () => {
    const { shell } = open()
    const problem = await problemOf(shell.sh`kill -TERM $$`)
    expect(problem.details.command).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
    expect(problem.message).toContain('was killed by SIGTERM')
  })

  test('a death further inside, and a number that is too large, are told as sh tells them', async () => {
    const { shell } = open()
    // Not the last one of its line: sh would put itself in its place.
    const inside = await problemOf(shell.sh`sh -c 'kill -TERM $$'; exit $?`)
    expect(inside.details.command).toMatchObject({ exitCode: 143, signal: null })
    expect((await problemOf(shell.sh`exit 300`)).details.command).toMatchObject({
      exitCode: 44,
      signal: null,
    })
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

  test('a child in the background that keeps the output is waited for while it talks, not when it has given it back', async () => {
    const { shell } = open()
    expect(await shell.capture`(sleep 0.3; echo late) & echo now`).toBe('now\nlate')
    const begun = performance.now()
    await shell.sh`sleep 20 </dev/null >/dev/null 2>&1 &`
    expect(performance.now() - begun).toBeLessThan(9_000)
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
