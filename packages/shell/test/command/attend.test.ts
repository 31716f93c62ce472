import { PassThrough } from 'node:stream'
import { isProblem, secret } from '@deployfile/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { attend } from '../../src/command/attend.ts'
import { launch } from '../../src/command/launch.ts'
import type { Order } from '../../src/command/order.ts'
import { createReport } from '../../src/command/report.ts'
import { createShared } from '../../src/command/shared.ts'
import { createStop } from '../../src/command/stop.ts'
import { sudoPrompt } from '../../src/command/sudo.ts'
import type { Ending, Running } from '../../src/transport.ts'

const MARK = '0123456789abcdef'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

/** One command by sudo, whose other side is this test. */
const bySudo = (input?: string) => by('service', input)

function by(user: string | undefined, input?: string) {
  vi.stubEnv('ATTEND_PASSWORD', 'opensesame')
  const password = secret.env('ATTEND_PASSWORD')
  const order: Order = {
    text: 'work',
    sh: 'work',
    reads: false,
    ...(user !== undefined && { user }),
    ...(input !== undefined && { input }),
  }
  const scope = { signal: new AbortController().signal, emit: () => undefined }
  const stop = createStop(scope.signal, { timeout: undefined, idle: undefined, alive: () => undefined })
  const report = createReport(order, 'web1', scope, createShared(), () => undefined)
  const typed: string[] = []
  const stdin = new PassThrough()
  stdin.on('data', (chunk: Buffer) => typed.push(chunk.toString()))
  stdin.on('end', () => typed.push('(end)'))
  const never = new Promise<Ending>(() => undefined)
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() }
  const running: Running = {
    stdin,
    ...streams,
    exited: never,
    ended: never,
    signal: () => undefined,
    endInput: () => void typed.push('(end of all input)'),
    close: () => undefined,
  }
  const launched = launch(order, { mark: MARK, path: [], login: undefined, hasPassword: true }, 64 * 1024)
  attend(running, {
    ...{ order, mark: MARK, launched, input, password, report, stop },
    alive: () => undefined,
    greeted: () => undefined,
  })
  const say = async (stream: 'stdout' | 'stderr', text: string): Promise<void> => {
    streams[stream].write(text)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { typed, stop, say }
}

test('nothing is typed before sudo asks, the password once, and the input only when it has let us through', async () => {
  const { typed, say } = bySudo('the input')
  await vi.advanceTimersByTimeAsync(5_000)
  expect(typed).toEqual([])
  await say('stderr', sudoPrompt(MARK))
  expect(typed).toEqual(['opensesame\n'])
  await say('stdout', `${MARK} 7 7 /bin/sh\n`)
  expect(typed).toEqual(['opensesame\n', 'the input', '(end)'])
})

test('asked a second time it gives up, and types nothing more', async () => {
  const { typed, say } = bySudo('the input')
  await say('stderr', sudoPrompt(MARK))
  await say('stderr', `Sorry, try again.\n${sudoPrompt(MARK)}`)
  expect(typed).toEqual(['opensesame\n', '(end)'])
})

test('sudo that waits for something else is not waited for: half a minute, and a story', async () => {
  const { typed, stop, say } = bySudo()
  await say('stderr', 'Verification code: ')
  await vi.advanceTimersByTimeAsync(29_999)
  expect(stop.now()).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  const why = stop.now()
  const error = typeof why === 'object' && 'error' in why ? why.error : undefined
  expect(isProblem(error) && [error.code, error.message]).toEqual([
    'SUDO_REFUSED',
    'web1: sudo asked for something else than the password to become service',
  ])
  expect(typed).toEqual(['(end of all input)', '(end)'])
})

test('a command whose own sh does not speak for half a minute is told that there is nothing to wait for, and given up', async () => {
  const { typed, stop, say } = by(undefined)
  await say('stdout', 'Welcome! Do not go away …')
  await vi.advanceTimersByTimeAsync(29_999)
  expect(stop.now()).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(stop.now()).toEqual({ unbegun: 30_000 })
  expect(typed).toContain('(end of all input)')
})

test.each(['service', undefined])(
  'a command that has spoken may take as long as it likes (%s)',
  async (user) => {
    const { stop, say } = by(user)
    await say('stdout', `${MARK} 7 7 /bin/sh\n`)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(stop.now()).toBeUndefined()
  },
)
