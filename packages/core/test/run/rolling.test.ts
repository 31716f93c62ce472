import { resolvePlan, task, type AnyTask } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { manualClock } from '@deployfile/core'
import { runTasks } from './run-plan.ts'

describe('the declaration', () => {
  test.each([
    [2, 'is 2'],
    [{}, 'has the batch undefined'],
    [{ batch: 0 }, 'has the batch 0'],
    [{ batch: 1.5 }, 'has the batch 1.5'],
    [{ batch: '0%' }, 'has the batch "0%"'],
    [{ batch: '101%' }, 'has the batch "101%"'],
    [{ batch: 1, wait: 'a bit' }, 'has the wait "a bit"'],
    [{ batch: 1, size: 1 }, "has the unknown key 'size'"],
  ])('rolling %j is refused', (rolling, what) => {
    expect(() => task('restart', { on: 'app', rolling: rolling as { batch: 1 }, run: () => 1 })).toThrow(
      `rolling of the task 'restart' ${what}`,
    )
  })

  test.each([
    [1, 3],
    [2, 2],
    [3, 1],
    [9, 1],
    ['1%', 3],
    ['50%', 3],
    ['67%', 2],
    ['100%', 1],
  ] as const)('batch %j of three hosts makes %j batches', (batch, batches) => {
    const restart = task('restart', { on: 'app', rolling: { batch }, run: () => 1 })
    const plan = resolvePlan(catalogOf({ tasks: [restart] }), { stage: 'production', tasks: ['restart'] })
    expect(plan.nodes.filter(({ kind }) => kind === 'join')).toHaveLength(batches - 1)
  })
})

describe('batches', () => {
  /** `restart` on three hosts, with a health check of each after it. */
  function restarting(sick?: string): {
    readonly order: string[]
    readonly last: AnyTask
    readonly check: AnyTask
  } {
    const order: string[] = []
    const last = task('restart', {
      on: 'app',
      rolling: { batch: 2, wait: '30s' },
      run: ({ host }) => void order.push(`restart ${host.name}`),
      undo: ({ host }) => void order.push(`undo ${host.name}`),
    })
    const check = task('check', {
      on: 'app',
      run: ({ host }) => {
        order.push(`check ${host.name}`)
        if (host.name === sick) throw new Error('sick')
      },
    })
    return { order, last, check }
  }

  test('follow each other after the hooks of the one before, and after the wait', async () => {
    const clock = manualClock()
    const { order, last, check } = restarting()
    const catalog = catalogOf({ tasks: [last], after: { restart: [check] } })
    const running = runTasks([last], { catalog, clock })
    await clock.advance(29_999)
    expect(order).toEqual(['restart web1', 'restart web2', 'check web1', 'check web2'])
    await clock.advance(1)
    const { outcome } = await running
    expect(outcome.status).toBe('done')
    expect(order.slice(4)).toEqual(['restart db1', 'check db1'])
  })

  test.each(['no-new', 'continue'] as const)('end with one that has a sick host (%s)', async (onFailure) => {
    const { order, last, check } = restarting('web2')
    const catalog = catalogOf({ tasks: [last], after: { restart: [check] } })
    const clock = manualClock()
    const { outcome } = await runTasks([last], { catalog, clock, onFailure })
    expect(outcome.status).toBe('failed')
    expect(outcome.nodes.get('restart@production/db1')?.status).toBe('blocked')
    expect(order.slice(4).sort()).toEqual(['undo web1', 'undo web2'])
    expect(clock.pending).toBe(0)
  })

  test('do not follow an interrupt, which also ends the wait', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    const { last } = restarting()
    const running = runTasks([last], { clock, signal: controller.signal })
    await clock.advance(10_000)
    controller.abort()
    const { outcome } = await running
    expect(outcome.status).toBe('cancelled')
    expect(outcome.nodes.get('restart@production/db1')?.status).toBe('blocked')
    expect(clock.pending).toBe(0)
  })

  test('a hook that waits for all hosts cannot stand at one of them: that is a cycle', () => {
    const { last } = restarting()
    const everywhere = task('everywhere', { run: () => 1 })
    const catalog = catalogOf({ tasks: [last], before: { restart: [everywhere] } })
    expect(() => resolvePlan(catalog, { stage: 'production', tasks: ['restart'] })).toThrow(
      "(rolling of 'restart')",
    )
  })
})
