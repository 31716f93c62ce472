import { group, resolvePlan, task, type AnyTask } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { manualClock } from '@deployfile/core'
import { runTasks } from './run-plan.ts'

/** Counts who is inside at the same time, by name. */
function counter(): {
  readonly most: Map<string, number>
  readonly inside: (...names: string[]) => Promise<void>
} {
  const now = new Map<string, number>()
  const most = new Map<string, number>()
  return {
    most,
    async inside(...names) {
      for (const name of names) {
        now.set(name, (now.get(name) ?? 0) + 1)
        most.set(name, Math.max(most.get(name) ?? 0, now.get(name) ?? 0))
      }
      for (let turn = 0; turn < 3; turn++) await Promise.resolve()
      for (const name of names) now.set(name, (now.get(name) ?? 0) - 1)
    },
  }
}

const every = (tasks: readonly AnyTask[]): AnyTask =>
  group('every', Object.fromEntries(tasks.map((one) => [one.name, one])))

describe('locks', () => {
  test('of one name are held by one node at a time, or as many as its pool has', async () => {
    const { most, inside } = counter()
    const tasks = Array.from({ length: 12 }, (_, index) => {
      const lock = index % 2 === 0 ? 'db' : ['cache', 'api']
      return task(`t${String(index)}`, { lock, run: () => inside(...[lock].flat()) })
    })
    const all = every(tasks)
    const catalog = catalogOf({ tasks: [all], pools: { cache: 3, api: 4 } })
    const { outcome } = await runTasks([all], { catalog })
    expect(outcome.status).toBe('done')
    expect(Object.fromEntries(most)).toEqual({ db: 1, cache: 3, api: 3 })
  })

  test('in any order never wait for each other for ever', async () => {
    const { most, inside } = counter()
    const locks = [['a', 'b'], ['b', 'c'], ['c', 'a'], ['a'], ['c', 'b', 'a']]
    const tasks = Array.from({ length: 40 }, (_, index) => {
      const lock = locks[index % locks.length] ?? []
      return task(`t${String(index)}`, { lock, run: () => inside(...lock) })
    })
    const { outcome } = await runTasks([every(tasks)])
    expect(outcome.status).toBe('done')
    expect(Object.fromEntries(most)).toEqual({ a: 1, b: 1, c: 1 })
  })

  test('are held while undo runs, too; in the plan they are a field, sorted, and no edge', async () => {
    const { most, inside } = counter()
    const locked = task('locked', {
      on: 'web',
      lock: ['z', 'a', 'z'],
      run: () => inside('undo'),
      undo: () => inside('undo'),
    })
    const bad = task('bad', {
      needs: { locked },
      run: () => {
        throw new Error('broken')
      },
    })
    const catalog = catalogOf({ tasks: [bad] })
    const plan = resolvePlan(catalog, { stage: 'production', tasks: ['bad'] })
    expect(plan.nodes.map(({ locks }) => locks)).toEqual([['a', 'z'], ['a', 'z'], undefined, undefined])
    expect(
      plan.edges.filter(({ from, to }) => from.startsWith('locked@') && to.startsWith('locked@')),
    ).toEqual([])
    const { outcome } = await runTasks([bad], { catalog })
    expect([...outcome.nodes].map(([id, { undone }]) => [id, undone])).toContainEqual([
      'locked@production/web2',
      true,
    ])
    expect(most.get('undo')).toBe(1)
  })

  test('of what may still be running are not given to another', async () => {
    const clock = manualClock()
    const deaf = task('deaf', { timeout: 5, lock: 'db', run: () => new Promise<void>(() => undefined) })
    const next = task('next', { lock: 'db', run: () => 1 })
    const free = task('free', { run: () => 1 })
    const running = runTasks([every([deaf, next, free])], { clock, grace: 5, onFailure: 'continue' })
    await clock.advance(10)
    const { outcome, events } = await running
    expect(outcome.nodes.get('free')?.status).toBe('done')
    expect(events).toContainEqual(
      expect.objectContaining({
        node: 'next',
        status: 'blocked',
        reason: "'next' was not started: 'deaf' may still be running and has the lock 'db'",
      }),
    )
    expect(outcome.failures.map(({ node, problem }) => [node, problem.code])).toEqual([
      ['deaf', 'TASK_ABANDONED'],
      ['next', 'LOCK_LOST'],
    ])
  })

  test.each([
    ['fail', 'failed', 'blocked'],
    ['warn', 'done', 'warned'],
  ] as const)(
    'are lost also when their holder only warns: what needs them then does what its onError says (%s)',
    async (onError, run, status) => {
      const clock = manualClock()
      const never = () => new Promise<void>(() => undefined)
      const deaf = task('deaf', { timeout: 5, lock: 'db', onError: 'warn', run: never })
      const next = task('next', { lock: 'db', onError, run: () => 1 })
      const running = runTasks([every([deaf, next])], { clock, grace: 5 })
      await clock.advance(10)
      const { outcome } = await running
      expect(outcome.status).toBe(run)
      expect(outcome.nodes.get('next')?.status).toBe(status)
      expect(outcome.failures.map(({ problem }) => problem.code)).toEqual(
        onError === 'fail' ? ['LOCK_LOST'] : [],
      )
    },
  )

  test.each([[''], [[]], [['db', '']], [3]])('%j is refused', (lock) => {
    expect(() => task('locked', { lock: lock as string, run: () => 1 })).toThrow(
      `lock of the task 'locked' is ${JSON.stringify(lock)}`,
    )
  })
})

describe('pools', () => {
  const locked = task('locked', { lock: 'database', run: () => 1 })

  test('must be of a lock that a task has', () => {
    expect(() => catalogOf({ tasks: [locked], pools: { databse: 2 } })).toThrow(
      "pools names the lock 'databse', which no task has",
    )
  })

  test.each([[0], [1.5], ['2']])('cannot have the size %j', (size) => {
    expect(() => catalogOf({ tasks: [locked], pools: { database: size } })).toThrow(
      "the config's pools.database",
    )
  })
})

test('never more bodies at once on one host than its limit; hosts do not count for each other', async () => {
  const { most, inside } = counter()
  const tasks = Array.from({ length: 9 }, (_, index) =>
    task(`t${String(index)}`, { on: 'web', run: ({ host }) => inside(host.name, 'all') }),
  )
  const { outcome } = await runTasks([every(tasks)], { perHost: 2 })
  expect(outcome.status).toBe('done')
  expect(Object.fromEntries(most)).toEqual({ web1: 2, web2: 2, all: 4 })
})
