import { PassThrough, Writable } from 'node:stream'
import type { Host } from '@deployfile/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { perform } from '../../src/command/perform.ts'
import { createShared } from '../../src/command/shared.ts'
import type { Ending, Transport } from '../../src/transport.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const host: Host = {
  ...{ name: 'web1', stage: 'dev', roles: ['web'], transport: 'ssh', address: 'web1' },
  ...{ primary: true, props: {} },
}

/** One command, whose other side is this test. */
function commandInto(into: Writable) {
  const stdout = new PassThrough({ highWaterMark: 1 })
  let exit: (ending: Ending) => void = () => undefined
  const exited = new Promise<Ending>((resolve) => (exit = resolve))
  // As a channel of SSH: its end comes after all of its output has been read.
  const ended = new Promise<Ending>((resolve) =>
    stdout.once('close', () => resolve({ exitCode: 0, signal: null })),
  )
  const transport: Transport = {
    host,
    start(compose) {
      const { sh, args } = compose(64 * 1024)
      const mark = /[0-9a-f]{16}/.exec([sh, ...args].join(' '))?.[0] ?? ''
      stdout.write(`${mark} 7 7 /bin/sh\n`)
      return Promise.resolve({
        ...{ stdin: new PassThrough().resume(), stdout, stderr: new PassThrough(), exited, ended },
        signal: () => undefined,
        endInput: () => undefined,
        close: () => void stdout.destroy(),
      })
    },
    attach: () => Promise.reject(new Error('not here')),
    connect: () => Promise.resolve(),
    dial: () => Promise.reject(new Error('not here')),
  }
  const scope = { signal: new AbortController().signal, emit: () => undefined }
  const done = perform({ text: 'work', sh: 'work', reads: false, into }, transport, scope, createShared())
  return { done, stdout, exit: () => exit({ exitCode: 0, signal: null }) }
}

test('whoever takes the output of a command may take his time, also when it has ended meanwhile', async () => {
  let said = ''
  let goOn = (): void => undefined
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString()
      goOn = done
    },
  })
  const { done, stdout, exit } = commandInto(slow)
  await vi.advanceTimersByTimeAsync(0)
  stdout.write('one, ')
  await vi.advanceTimersByTimeAsync(0)
  expect(said).toBe('one, ')
  stdout.end('two')
  exit()
  await vi.advanceTimersByTimeAsync(60_000)
  goOn()
  await vi.advanceTimersByTimeAsync(0)
  expect(said).toBe('one, two')
  goOn()
  expect((await done).ending).toEqual({ exitCode: 0, signal: null })
})
