import { createHash } from 'node:crypto'
import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { createGzip, gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type Open, problemOf } from './opened.ts'

const MEGABYTE = 1024 * 1024

export function streams(open: Open): void {
  test('input comes from a stream, as fast as the command reads', async () => {
    const { shell } = open()
    let given = 0
    async function* pieces() {
      for (; given < 8; given++) {
        await Promise.resolve()
        yield Buffer.alloc(MEGABYTE, given)
      }
    }
    const expected = createHash('sha256')
    for (let at = 0; at < 8; at++) expected.update(Buffer.alloc(MEGABYTE, at))
    const { stdout } = await shell.run('sha256sum', [], { input: pieces() })
    expect(stdout.slice(0, 64)).toBe(expected.digest('hex'))

    // One that reads nothing for a while is waited for, not written to.
    given = 0
    async function* endless() {
      for (;;) {
        await Promise.resolve()
        given++
        yield Buffer.alloc(MEGABYTE)
      }
    }
    await shell.with({ input: endless() }).sh`sleep 0.3; head -c 10 >/dev/null`
    expect(given).toBeLessThan(16)
    expect((await shell.with({ input: Readable.from(['one ', 'two']) }).script('cat')).stdout).toBe('one two')
  })

  test('a stream that fails ends its command with its own error', async () => {
    const { shell } = open()
    async function* broken() {
      yield 'half'
      await Promise.resolve()
      throw new Error('the tape is torn')
    }
    await expect(shell.run('cat', [], { input: broken() })).rejects.toThrow('the tape is torn')
  })

  test('a stream is for one command', async () => {
    const { shell } = open()
    const once = shell.with({ input: Readable.from(['x']) })
    expect((await once.sh`cat`).stdout).toBe('x')
    expect(await problemOf(once.sh`cat`)).toMatchObject({ code: 'INPUT_USED', kind: 'usage' })
    const wrong = problemOf(shell.run('cat', [], { input: { no: 'stream' } as unknown as string }))
    expect((await wrong).code).toBe('COMMAND_OPTIONS')
  })

  test('output goes into a stream, whole, and none of it into the log or the result', async () => {
    const { shell, root, events } = open()
    const file = join(root, 'dump.gz')
    const gzip = createGzip()
    gzip.pipe(createWriteStream(file)).on('close', () => undefined)
    const done = await shell.with({ output: gzip }).sh`head -c 3000000 /dev/zero | tr '\0' x; echo noise >&2`
    expect(done).toMatchObject({ stdout: '', stderr: 'noise\n', truncated: false })
    expect(gzip.writableFinished).toBe(true)
    await expect.poll(() => gunzipSync(readFileSync(file)).length, { timeout: 5_000 }).toBe(3_000_000)
    const lines = events.flatMap((event) => (event.type === 'command.output' ? [event.line] : []))
    expect(lines).toEqual(['noise'])
  })

  test('a slow reader holds the command back', async () => {
    const { shell } = open()
    let taken = 0
    let ended = false
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length
        setTimeout(done, 5)
      },
    })
    const running = shell
      .with({ output: slow })
      .run('head', ['-c', String(6 * MEGABYTE), '/dev/zero'])
      .finally(() => (ended = true))
    await expect.poll(() => taken, { timeout: 5_000 }).toBeGreaterThan(MEGABYTE / 2)
    expect(ended).toBe(false)
    await running
    expect(taken).toBe(6 * MEGABYTE)
  })

  test('while one command waits for whoever reads it, others of the host go on', async () => {
    const { shell } = open()
    let go = (): void => undefined
    const opened = new Promise<void>((resolve) => (go = resolve))
    let reached = (): void => undefined
    const stuck = new Promise<void>((resolve) => (reached = resolve))
    let taken = 0
    const reader = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length
        reached()
        void opened.then(() => done())
      },
    })
    let ended = false
    const waits = shell
      .with({ output: reader })
      .run('head', ['-c', String(12 * MEGABYTE), '/dev/zero'])
      .finally(() => (ended = true))
    await stuck
    for (let at = 0; at < 5; at++) expect(await shell.capture`echo ${at}`).toBe(String(at))
    expect(ended).toBe(false)
    go()
    await waits
    expect(taken).toBe(12 * MEGABYTE)
  })

  test('errors that fill every buffer hold nothing up, whoever wants them', async () => {
    const { shell } = open()
    const flood = 'head -c 6000000 /dev/zero >&2'
    expect(await shell.capture`head -c 6000000 /dev/zero >&2; echo answer`).toBe('answer')
    expect(await shell.test`head -c 6000000 /dev/zero >&2`).toBe(true)
    const output = new PassThrough()
    const read = textOf(output)
    const done = await shell.with({ output }).script(`${flood}; echo answer`)
    expect(await read).toBe('answer\n')
    expect(done.truncated).toBe(true)
    expect((await problemOf(shell.sh`head -c 6000000 /dev/zero >&2; exit 5`)).details.command?.exitCode).toBe(
      5,
    )
  })

  test('what cannot be written ends the command; a failed one spoils its output', async () => {
    const { shell } = open()
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space left')) })
    await expect(shell.with({ output: full }).sh`yes`).rejects.toThrow('no space left')
    const gone = new PassThrough()
    gone.destroy()
    await expect(shell.with({ output: gone }).sh`yes`).rejects.toThrow(
      'was closed before the command had ended',
    )

    const half = new PassThrough()
    const read = textOf(half)
    read.catch(() => undefined)
    const problem = await problemOf(shell.with({ output: half }).sh`echo half; exit 3`)
    expect(problem.details.command?.exitCode).toBe(3)
    await expect(read).rejects.toThrow('failed with exit code 3')
  })

  test('capture and test give their answers themselves', async () => {
    const { shell } = open()
    const elsewhere = shell.with({ output: new PassThrough() })
    expect((await problemOf(elsewhere.capture`echo`)).code).toBe('COMMAND_OPTIONS')
    expect((await problemOf(elsewhere.test`true`)).code).toBe('COMMAND_OPTIONS')
  })

  test('a line of ten megabytes is told in pieces, and a gigabyte would be no more in memory', async () => {
    const { shell, events } = open()
    await shell.sh`head -c 10000000 /dev/zero | tr '\0' x`
    const lines = events.flatMap((event) => (event.type === 'command.output' ? [event.line.length] : []))
    expect(lines.reduce((sum, length) => sum + length, 0)).toBe(10_000_000)
    expect(Math.max(...lines)).toBeLessThanOrEqual(64 * 1024)
  })
}
