import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secret } from '@deployfile/core'
import { expect, test } from 'vitest'
import { type Open, problemOf, until } from './opened.ts'

/** Every argument list and environment of this machine that is to be seen, by pid. */
function processes(): { pid: string; args: string; environ: string }[] {
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'latin1')
    } catch {
      // It has ended, or is somebody else's.
      return ''
    }
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, args: read(`/proc/${pid}/cmdline`), environ: read(`/proc/${pid}/environ`) }))
}

export function settings(open: Open): void {
  test('secrets reach the command and nobody else: no argument, no event, no other environment', async () => {
    // No word that a stranger's process on this machine might have among its arguments.
    const word = `$word-${randomUUID()}`
    const value = `pa'ss ${word}\nin two lines`
    const { shell, folder, root, events } = open()
    // Not from our own environment, which commands on this machine inherit.
    writeFileSync(join(root, 'contract-password'), value)
    const password = secret.file(join(root, 'contract-password'))
    mkdirSync(join(folder, 'safe'))
    const safe = shell.with({ cwd: 'safe', secrets: { PGPASSWORD: password }, env: { PLAIN: 'yes' } })
    expect(await safe.capture`printf %s "$PGPASSWORD|$PLAIN"; basename "$PWD"`).toBe(`${value}|yessafe`)
    expect((await safe.run('printenv', ['PGPASSWORD'])).stdout).toBe(`${value}\n`)
    expect((await safe.script('printf %s "$PGPASSWORD|$1"', ['two'])).stdout).toBe(`${value}|two`)
    expect((await safe.with({ input: 'in' }).sh`printf %s "$PGPASSWORD|"; cat`).stdout).toBe(`${value}|in`)
    // `set` shows what the shell itself holds on to.
    expect(await safe.capture`unset PGPASSWORD; set | grep -c two.lines || :`).toBe('0')

    const running = safe.sh`touch ready; sleep 1000 & echo $! >pid; wait; echo`.catch(() => undefined)
    await until(
      () =>
        existsSync(join(folder, 'safe/pid')) && readFileSync(join(folder, 'safe/pid'), 'utf8').endsWith('\n'),
    )
    const child = readFileSync(join(folder, 'safe/pid'), 'utf8').trim()
    // Its number is known before it has become that program, and has its environment.
    await until(() => processes().some(({ pid, args }) => pid === child && args.startsWith('sleep')))
    const seen = processes().filter(({ pid }) => pid !== String(process.pid))
    process.kill(Number(child))
    await running
    expect(seen.filter(({ args }) => args.includes(word)).map(({ pid }) => pid)).toEqual([])
    expect(seen.filter(({ environ }) => environ.includes(word)).map(({ pid }) => pid)).toEqual([child])

    const problem = await problemOf(safe.sh`echo "$PGPASSWORD"; echo "$PGPASSWORD" >&2; exit 1`)
    const all = JSON.stringify([events, problem.message, problem.details])
    expect(all).not.toContain("pa'ss")
    expect(all).not.toContain('in two lines')
    expect(problem.message).toContain('***')
  })

  test('a secret may be the input', async () => {
    process.env['CONTRACT_PASSWORD_2'] = 'typed by nobody'
    const { shell } = open()
    const input = secret.env('CONTRACT_PASSWORD_2')
    expect((await shell.run('cat', [], { input })).stdout).toBe('typed by nobody')
  })

  test('a secret that was revealed before is no argument of a shell either', async () => {
    const value = `revealed-before-${randomUUID()}`
    process.env['CONTRACT_PASSWORD_3'] = value
    const { shell, folder } = open()
    const input = secret.env('CONTRACT_PASSWORD_3')
    await shell.run('true', [], { input })
    const running = shell.sh`: ${value}; echo $$ >waits; exec sleep 1000`.catch(() => undefined)
    await until(
      () => existsSync(join(folder, 'waits')) && readFileSync(join(folder, 'waits'), 'utf8').endsWith('\n'),
    )
    const holders = processes().filter(({ args }) => args.includes(value))
    process.kill(Number(readFileSync(join(folder, 'waits'), 'utf8')))
    await running
    expect(holders).toEqual([])
  })

  test('a secret that is not set fails the command before it starts', async () => {
    const { shell, folder } = open()
    delete process.env['NOT_SET_AT_ALL']
    const lacking = shell.with({ secrets: { TOKEN: secret.env('NOT_SET_AT_ALL') } })
    expect(await problemOf(lacking.sh`touch ran-without-it`)).toMatchObject({
      code: 'SECRET_MISSING',
      kind: 'check',
    })
    expect(readdirSync(folder)).not.toContain('ran-without-it')
    const plain = { TOKEN: 'plain text' } as unknown as Record<string, ReturnType<typeof secret.env>>
    expect(() => shell.with({ secrets: plain })).toThrow('secrets.TOKEN is not a secret')
  })

  test('a terminal by choice: it is one, both streams are one, and lines end as lines', async () => {
    const { shell, events } = open()
    const terminal = shell.with({ pty: true })
    const done = await terminal.sh`[ -t 1 ] && echo out; echo err >&2; tty >/dev/null || echo "no input"`
    expect(done).toMatchObject({ stdout: 'out\nerr\nno input\n', stderr: '' })
    expect(events.flatMap((event) => (event.type === 'command.output' ? [event.line] : []))).toEqual([
      'out',
      'err',
      'no input',
    ])
    expect((await terminal.run('printf', ['[%s]', "it's", '€ $x'])).stdout).toBe("[it's][€ $x]")
    expect((await terminal.script('echo "$1"; exec true', ['value'])).stdout).toBe('value\n')
    expect((await problemOf(terminal.sh`exit 7`)).details.command?.exitCode).toBe(7)
    // Far more than a terminal takes in one line, and characters that it would act on.
    const long = `${'x'.repeat(99_000)}\x03\x04\x1a`
    expect(Number(await terminal.capture`printf %s ${long} | wc -c`)).toBe(99_003)
  })

  test('a command on a terminal is stopped with all its children, too', async () => {
    const stop = new AbortController()
    const { shell, folder } = open({ signal: stop.signal })
    const running = problemOf(shell.with({ pty: true }).sh`sleep 1000 & echo $! > pty-child; wait`)
    const file = join(folder, 'pty-child')
    await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'))
    stop.abort()
    expect((await running).code).toBe('COMMAND_CANCELLED')
    const pid = readFileSync(file, 'utf8').trim()
    await until(() => !processes().some((one) => one.pid === pid && one.args !== ''))
  })

  test('silence has a limit of its own', async () => {
    const { shell } = open()
    const begun = performance.now()
    const problem = await problemOf(shell.with({ idle: 300 }).sh`echo one; sleep 0.1; echo two; sleep 1000`)
    expect(problem).toMatchObject({
      code: 'COMMAND_TIMEOUT',
      kind: 'task',
      details: { command: { tail: ['one', 'two'] } },
    })
    expect(problem.message).toContain('gave no sign of life for 0.3 s; it was stopped')
    expect(performance.now() - begun).toBeLessThan(5_000)
    const talking = shell.with({ idle: '2s' }).sh`for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done`
    expect((await talking).stdout).toBe('1\n2\n3\n4\n5\n6\n')
  })

  test('a time limit is a number or says its unit', async () => {
    const { shell } = open()
    const problem = await problemOf(shell.run('sleep', [1000], { timeout: '300ms' }))
    expect(problem.message).toContain('did not end within 0.3 s; it was stopped')
  })

  test('a file that a script is fed with by its own name is its own', async () => {
    const { shell, folder } = open()
    writeFileSync(join(folder, 'lines'), 'a\nb\n')
    expect((await shell.script('while read -r line; do echo "[$line]"; done <lines')).stdout).toBe(
      '[a]\n[b]\n',
    )
  })
}
