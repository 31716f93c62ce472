import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Stop, supervise } from '../../src/command/supervise.ts'
import type { Ending, Running } from '../../src/transport.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const hunted: string[] = []
const hunt = (name: string): void => void hunted.push(name)
const never = new Promise<Stop>(() => undefined)

function fake() {
  const said: string[] = []
  let exit: (ending: Ending) => void = () => undefined
  let end: (ending: Ending) => void = () => undefined
  const running: Running = {
    stdin: undefined,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    exited: new Promise((resolve) => (exit = resolve)),
    ended: new Promise((resolve) => (end = resolve)),
    signal: (name) => void said.push(name),
    endInput: () => void said.push('end of input'),
    close: () => void said.push('close'),
  }
  return { running, said, exit: (ending: Ending) => exit(ending), end: (ending: Ending) => end(ending) }
}

const done: Ending = { exitCode: 0, signal: null }

test('an end is an end', async () => {
  const { running, end, said } = fake()
  end(done)
  expect(await supervise(running, never, () => 0, hunt)).toEqual({ ending: done, cut: false })
  expect(said).toEqual([])
})

test('a cancel is TERM, KILL after 5 s, and after 2 s more nobody listens', async () => {
  const { running, said } = fake()
  const outcome = supervise(running, Promise.resolve('cancelled' as const), () => 0, hunt)
  await vi.advanceTimersByTimeAsync(4_999)
  expect(said).toEqual(['TERM'])
  await vi.advanceTimersByTimeAsync(1)
  expect(said).toEqual(['TERM', 'KILL'])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(said).toEqual(['TERM', 'KILL', 'close'])
  expect(await outcome).toEqual({ ending: undefined, stopped: 'cancelled', cut: false })
})

test('what ends on TERM is not killed', async () => {
  const { running, said, end } = fake()
  const outcome = supervise(running, Promise.resolve('cancelled' as const), () => 0, hunt)
  await vi.advanceTimersByTimeAsync(10)
  end({ exitCode: null, signal: 'SIGTERM' })
  expect((await outcome).ending).toEqual({ exitCode: null, signal: 'SIGTERM' })
  expect(said).toEqual(['TERM'])
})

test('output left open by a background process is given up after 10 s of silence', async () => {
  const { running, said, exit } = fake()
  let heard = 0
  const outcome = supervise(running, never, () => heard, hunt)
  exit(done)
  await vi.advanceTimersByTimeAsync(9_000)
  heard = performance.now()
  await vi.advanceTimersByTimeAsync(9_000)
  expect(said).toEqual([])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await outcome).toEqual({ ending: done, cut: true })
  expect(said).toEqual(['close'])
})
