import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reveal, secret } from '@deployfile/core'
import { expect, test } from 'vitest'
import { type Open, problemOf, until } from './opened.ts'

export function stopping(open: Open): void {
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

  test('children that do not listen are ended, too; what has made itself a daemon is left alone', async () => {
    const stop = new AbortController()
    const { shell, folder } = open({ signal: stop.signal })
    const running = problemOf(shell.sh`
      (trap '' TERM; exec sh -c 'echo $$ > stubborn; exec sleep 1000') >/dev/null 2>&1 &
      setsid sh -c 'echo $$ > daemon; exec sleep 1000' </dev/null >/dev/null 2>&1 &
      wait`)
    // Written by themselves, when the one has stopped listening and the other has left the session.
    const written = (name: string): string =>
      existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : ''
    const pid = (name: string): number => Number(written(name))
    await until(() => written('stubborn').endsWith('\n') && written('daemon').endsWith('\n'))
    stop.abort()
    const problem = await running
    expect(problem.code).toBe('COMMAND_CANCELLED')
    expect(problem.message).not.toContain('may still be running')
    expect(alive(pid('stubborn'))).toBe(false)
    expect(alive(pid('daemon'))).toBe(true)
    process.kill(pid('daemon'), 'SIGKILL')
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

export function events(open: Open): void {
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
    process.env['CONTRACT_SECRET'] = 's3cret-word'
    reveal(secret.env('CONTRACT_SECRET'))
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
