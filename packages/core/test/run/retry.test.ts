import { task, type AnyTask, type RunEvent } from '@deployfile/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { manualClock } from '@deployfile/core'
import { gate, runTasks } from './run-plan.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const delays = (events: readonly RunEvent[]): readonly number[] =>
  events.flatMap((event) => (event.type === 'node.retrying' ? [event.delayMs] : []))

describe('the declaration', () => {
  test.each([
    [0, 'is 0'],
    [1.5, 'is 1.5'],
    ['3', 'is "3"'],
    [{ times: 0 }, 'has the times 0'],
    [{ times: 2, delay: 'soon' }, 'has the delay "soon"'],
    [{ times: 2, backoff: 0.5 }, 'has the backoff 0.5'],
    [{ times: 2, jitter: 1 }, 'has the jitter 1'],
    [{ times: 2, wait: 1 }, "has the unknown key 'wait'"],
  ])('retry %j is refused', (retry, what) => {
    expect(() => task('flaky', { retry: retry as number, run: () => 1 })).toThrow(
      `retry of the task 'flaky' ${what}`,
    )
  })
})

/** Fails so many times, then gives the number of the attempt. */
function failing(times: number, spec: Partial<Parameters<typeof task>[1]>): AnyTask {
  let attempt = 0
  return task('flaky', {
    run: async () => {
      await Promise.resolve()
      if (++attempt <= times) throw new Error(`no ${String(attempt)}`)
      return attempt
    },
    ...spec,
  })
}

describe('a new attempt', () => {
  test('follows a failure, is told, and its result is the node’s', async () => {
    const { outcome, events } = await runTasks([failing(2, { retry: 3 })])
    expect(outcome.status).toBe('done')
    expect(outcome.failures).toEqual([])
    expect(outcome.nodes.get('flaky')).toEqual({ status: 'done', result: 3 })
    const told = events.filter(({ type }) => type === 'node.retrying')
    expect(told).toMatchObject([
      { attempt: 1, attempts: 4, delayMs: 0, problem: { message: 'no 1' } },
      { attempt: 2, attempts: 4, delayMs: 0, problem: { message: 'no 2' } },
    ])
    expect(events.filter(({ type }) => type === 'node.started')).toHaveLength(1)
  })

  test('comes after its delay, which backoff makes longer', async () => {
    const clock = manualClock()
    const running = runTasks([failing(3, { retry: { times: 3, delay: '1s', backoff: 2 } })], { clock })
    await clock.advance(6999)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    const { outcome, events } = await running
    expect(outcome.status).toBe('done')
    expect(delays(events)).toEqual([1000, 2000, 4000])
  })

  test('jitter takes off up to half of a delay', async () => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.5)
    const clock = manualClock()
    const running = runTasks([failing(2, { retry: { times: 2, delay: '1s', jitter: true } })], { clock })
    await clock.advance(2000)
    expect(delays((await running).events)).toEqual([500, 750])
  })

  test('gets a fresh context and its whole timeout', async () => {
    const clock = manualClock()
    const signals: AbortSignal[] = []
    const slow = task('slow', {
      timeout: '10s',
      retry: 1,
      run: ({ signal }) => {
        signals.push(signal)
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('stopped'))
          })
        })
      },
    })
    const running = runTasks([slow], { clock })
    await clock.advance(10_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await clock.advance(10_000)
    const { outcome } = await running
    expect(outcome.failures.map(({ problem }) => problem.code)).toEqual(['TASK_TIMEOUT'])
  })

  test('undo runs once, after the last one', async () => {
    const undo = vi.fn()
    const { outcome } = await runTasks([failing(9, { retry: 2, undo })])
    expect(outcome.failures.map(({ problem }) => problem.message)).toEqual(['no 3'])
    expect(undo).toHaveBeenCalledTimes(1)
  })
})

describe('no new attempt', () => {
  test('of what may still be running', async () => {
    const clock = manualClock()
    let entered = 0
    const deaf = task('deaf', {
      timeout: 5,
      retry: 5,
      run: () => {
        entered++
        return new Promise(() => undefined)
      },
    })
    const running = runTasks([deaf], { clock, grace: 5 })
    await clock.advance(10)
    const { outcome } = await running
    expect(outcome.failures.map(({ problem }) => problem.code)).toEqual(['TASK_ABANDONED'])
    expect(entered).toBe(1)
  })

  test.each(['an interrupt', 'a failure elsewhere'])('after %s, which also ends the delay', async (what) => {
    const clock = manualClock()
    const controller = new AbortController()
    const stopped = gate()
    const flaky = failing(9, { retry: { times: 9, delay: '1h' } })
    const other = task('other', {
      run: async () => {
        await stopped.opened
        if (what !== 'an interrupt') throw new Error('elsewhere')
      },
    })
    const both = task('both', { needs: { flaky, other }, run: () => 1 })
    const running = runTasks([both], { clock, signal: controller.signal })
    await clock.advance(1000)
    if (what === 'an interrupt') controller.abort()
    stopped.open()
    const { outcome, events } = await running
    expect(outcome.nodes.get('flaky')?.status).toBe(what === 'an interrupt' ? 'cancelled' : 'failed')
    expect(delays(events)).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})
