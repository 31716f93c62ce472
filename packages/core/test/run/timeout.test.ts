import { task, type RunEvent } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { manualClock } from '@deployfile/core'
import { gate, runTasks } from './run-plan.ts'

const never = (): Promise<never> => new Promise(() => undefined)

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('stopped'))
    })
  })
}

describe('the declaration', () => {
  test.each([['30 s'], ['fast'], [0], [-1], [Number.NaN], ['25d'], ['1000h'], [null]])(
    'timeout %o is refused',
    (timeout) => {
      expect(() => task('slow', { timeout: timeout as '1s', run: () => 1 })).toThrow(
        `timeout of the task 'slow' is ${JSON.stringify(timeout)}`,
      )
    },
  )

  test("the config's grace must be a duration", () => {
    const config = { tasks: [], grace: 'long' }
    expect(() => catalogOf(config)).toThrow("the config's grace is no duration. Write '30s', '10m', '2h'")
    expect(catalogOf({ ...config, grace: '2m' }).grace).toBe(120_000)
  })
})

describe('a timeout', () => {
  test('aborts the signal of its own node only, and fails it by name', async () => {
    const clock = manualClock()
    const seen: string[] = []
    const other = gate()
    const beside = task('beside', {
      run: async ({ signal }) => {
        await other.opened
        seen.push(`beside aborted: ${String(signal.aborted)}`)
      },
    })
    const slow = task('slow', { timeout: '30s', run: ({ signal }) => untilAborted(signal) })
    const both = task('both', { needs: { slow, beside }, run: () => 1 })
    const running = runTasks([both], { clock })
    await clock.advance(29_999)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    other.open()
    const { outcome } = await running
    expect(outcome.failures.map(({ node, problem }) => [node, problem.code, problem.message])).toEqual([
      ['slow', 'TASK_TIMEOUT', "'slow' did not end within its timeout of 30s"],
    ])
    expect(outcome.nodes.get('slow')).toEqual({ status: 'failed' })
    expect(seen).toEqual(['beside aborted: false'])
    expect(clock.pending).toBe(0)
  })

  test('that is not reached leaves no timer behind', async () => {
    const clock = manualClock()
    const { outcome } = await runTasks([task('quick', { timeout: '1h', run: () => Promise.resolve(1) })], {
      clock,
    })
    expect(outcome.status).toBe('done')
    expect(clock.pending).toBe(0)
  })

  test("under onError: 'warn' only warns", async () => {
    const clock = manualClock()
    const notify = task('notify', {
      timeout: 5,
      onError: 'warn',
      run: ({ signal }): Promise<number> => untilAborted(signal),
    })
    const running = runTasks([notify], { clock })
    await clock.advance(5)
    const { outcome } = await running
    expect([outcome.status, outcome.nodes.get('notify')?.status]).toEqual(['done', 'warned'])
  })
})

describe('what does not stop', () => {
  test('is abandoned after its timeout and grace; it and its needs there are not undone, all else is', async () => {
    const clock = manualClock()
    const order: string[] = []
    const undo = (name: string) => (): void => void order.push(`undo ${name}`)
    const build = task('build', { run: () => 1, undo: undo('build') })
    const unpack = task('unpack', {
      on: 'web',
      needs: { build },
      run: () => 1,
      undo: ({ host }) => void order.push(`undo unpack ${host.name}`),
    })
    const warm = task('warm', {
      on: 'web',
      needs: { unpack },
      timeout: '1m',
      run: ({ host }) => (host.name === 'web1' ? never() : undefined),
      undo: ({ host }) => void order.push(`undo warm ${host.name}`),
      finally: ({ host }) => void order.push(`finally warm ${host.name}`),
    })
    const running = runTasks([warm], { clock, grace: 10_000 })
    await clock.advance(70_000)
    const { outcome, events } = await running
    expect(outcome.failures.map(({ problem }) => [problem.code, problem.message])).toEqual([
      [
        'TASK_ABANDONED',
        "'warm@production/web1' did not stop within 10s after its timeout of 1m: it may still be running",
      ],
    ])
    expect(outcome.nodes.get('warm@production/web1')).toEqual({
      status: 'failed',
      undone: false,
      abandoned: true,
    })
    expect(outcome.nodes.get('unpack@production/web1')?.undone).toBe(false)
    expect(order.slice(0, 3)).toEqual(['undo warm web2', 'undo unpack web2', 'undo build'])
    expect(order.slice(3).sort()).toEqual(['finally warm web1', 'finally warm web2'])
    expect(events).toContainEqual(
      expect.objectContaining({
        node: 'unpack@production/web1',
        phase: 'undo',
        status: 'blocked',
        reason: "'warm@production/web1' may still be running",
      }),
    )
    expect(events.at(-1)).toMatchObject({ type: 'run.ended', status: 'failed', durationMs: 70_000 })
  })

  test('after an interrupt is cancelled, named, and the run ends', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    const running = runTasks([task('deaf', { run: never })], { clock, signal: controller.signal })
    await clock.advance(0)
    controller.abort()
    await clock.advance(10_000)
    const { outcome } = await running
    expect(outcome.status).toBe('cancelled')
    expect(outcome.nodes.get('deaf')).toMatchObject({ status: 'cancelled', abandoned: true })
    expect(outcome.failures.map(({ problem }) => problem.message)).toEqual([
      "'deaf' did not stop within 10s after it was told to: it may still be running",
    ])
  })

  test('says nothing more once it is given up', async () => {
    const clock = manualClock()
    const late = gate()
    const deaf = task('deaf', {
      timeout: 1,
      run: async ({ log }) => {
        await late.opened
        log('still here')
      },
    })
    const heard: RunEvent[] = []
    const running = runTasks([deaf], { clock, grace: 1, onEvent: (event) => heard.push(event) })
    await clock.advance(2)
    await running
    late.open()
    await clock.advance(0)
    expect(heard.at(-1)?.type).toBe('run.ended')
    expect(heard.filter(({ type }) => type === 'node.log')).toEqual([])
  })

  test('an undo that hangs keeps what its node needs there as it is, and the others are undone', async () => {
    const clock = manualClock()
    const order: string[] = []
    const ground = task('ground', { run: () => 1, undo: () => void order.push('undo ground') })
    const far = task('far', { on: 'db', run: () => 1, undo: () => void order.push('undo far') })
    const hangs = task('hangs', { needs: { ground, far }, run: () => 1, undo: never })
    const bad = task('bad', {
      needs: { hangs },
      run: () => {
        throw new Error('first')
      },
    })
    const running = runTasks([bad], { clock })
    await clock.advance(3_610_000)
    const { outcome } = await running
    expect(outcome.failures.map(({ node, phase, problem }) => [node, phase, problem.code])).toEqual([
      ['bad', 'run', 'TASK_THREW'],
      ['hangs', 'undo', 'TASK_ABANDONED'],
    ])
    expect(order).toEqual(['undo far'])
    expect(outcome.nodes.get('ground')?.undone).toBe(false)
  })

  test('a finally that hangs ends with the same bound', async () => {
    const clock = manualClock()
    const running = runTasks([task('tidy', { timeout: '10s', run: () => 1, finally: never })], { clock })
    await clock.advance(20_000)
    const { outcome } = await running
    expect(outcome.status).toBe('failed')
    expect(outcome.failures.map(({ phase, problem }) => [phase, problem.code])).toEqual([
      ['finally', 'TASK_ABANDONED'],
    ])
  })
})
