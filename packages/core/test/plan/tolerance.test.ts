import { group, override, resolvePlan, task, type AnyTask, type Plan } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { problemOf } from '../problem-of.ts'
import { catalogOf, type Parts } from './catalog-of.ts'

const noop = (): void => undefined

function restart(maxFail: number | `${number}%`): AnyTask {
  return task('restart', { on: 'app', rolling: { batch: 1, maxFail }, onError: 'warn', run: noop })
}

function planOf(parts: Parts, ...names: readonly string[]): Plan {
  return resolvePlan(catalogOf(parts), { stage: 'production', tasks: names.length > 0 ? names : ['restart'] })
}

/** Ids of the nodes that count, with how many of them may fail. */
function counting(plan: Plan): string[] {
  return plan.nodes.flatMap(({ id, tolerance }) =>
    tolerance ? [`${id} ${tolerance.group} ${String(tolerance.max)}`] : [],
  )
}

const EACH = ['web1', 'web2', 'db1'].map((host) => `restart@production/${host} restart 1`)

describe('rolling.maxFail', () => {
  test.each([
    [0, 0],
    [1, 1],
    [5, 5],
    ['0%', 0],
    ['33%', 0],
    ['34%', 1],
    ['67%', 2],
    ['100%', 3],
  ] as const)('%j of three hosts is %j of them', (maxFail, max) => {
    const { nodes } = planOf({ tasks: [restart(maxFail)] })
    expect(nodes.flatMap(({ tolerance }) => tolerance ?? [])).toEqual(
      [1, 2, 3].map(() => ({ group: 'restart', max })),
    )
  })

  test('shares are of the hosts where it runs', () => {
    const some = task('restart', {
      on: 'app',
      rolling: { batch: 1, maxFail: '50%' },
      onError: 'warn',
      when: ({ host }) => host?.name !== 'db1',
      run: noop,
    })
    expect(counting(planOf({ tasks: [some] }))).toEqual([
      'restart@production/web1 restart 1',
      'restart@production/web2 restart 1',
    ])
  })

  test('without it nothing is counted', () => {
    const plain = task('restart', { on: 'app', rolling: { batch: 1 }, onError: 'warn', run: noop })
    expect(counting(planOf({ tasks: [plain] }))).toEqual([])
  })
})

describe('hooks', () => {
  const check = task('check', { on: 'app', run: noop })
  const warm = task('warm', { on: 'web', run: noop })

  test('in a host\u2019s own chain count it', () => {
    const plan = planOf({ tasks: [restart(1)], before: { restart: [warm] }, after: { restart: [check] } })
    expect(counting(plan).sort()).toEqual(
      [
        ...EACH,
        ...['web1', 'web2', 'db1'].map((host) => `check@production/${host} restart 1`),
        ...['web1', 'web2'].map((host) => `warm@production/${host} restart 1`),
      ].sort(),
    )
  })

  const rolling = restart(1)
  const other = task('other', { on: 'app', run: noop })
  const user = task('user', { on: 'app', needs: { check }, run: noop })
  const lenient = task('check', { on: 'app', onError: 'warn', run: noop })

  test.each<[string, Parts, string]>([
    ['that only warn', { after: { restart: [lenient] } }, 'restart'],
    ['that another task needs', { tasks: [group('all', { rolling, user })] }, 'all'],
    [
      'that are hooks of another task',
      { tasks: [group('all', { rolling, other })], after: { other: [check] } },
      'all',
    ],
    ['that were asked for', {}, 'check'],
  ])('%s do not', (_title, { tasks = [], after }, ask) => {
    const parts = { tasks: [rolling, ...tasks], after: { restart: [check], ...after } }
    const plan = planOf(parts, ...new Set([ask === 'check' ? 'restart' : ask, ask]))
    expect(plan.nodes.some(({ task: name }) => name === 'check')).toBe(true)
    expect(counting(plan)).toEqual(EACH)
  })
})

describe('the declaration', () => {
  const HINT = "Add onError: 'warn', or take maxFail out: no host may fail then."

  test.each<[string, () => unknown]>([
    ['a task', () => task('restart', { on: 'app', rolling: { batch: 1, maxFail: 1 }, run: noop })],
    [
      'a preset',
      () => task.preset({ rolling: { batch: 1, maxFail: 1 } })('restart', { on: 'app', run: noop }),
    ],
    [
      'an override',
      () =>
        override(task('restart', { on: 'app', run: noop }), { rolling: { batch: 1, maxFail: 1 }, run: noop }),
    ],
  ])("%s needs onError: 'warn' for it", (_what, make) => {
    const { code, message, details } = problemOf(make)
    expect(code).toBe('TASK_INVALID')
    expect(message).toBe("rolling.maxFail of the task 'restart' counts hosts that may end warned")
    expect(details).toMatchObject({ key: 'maxFail', hint: HINT, location: { file: import.meta.filename } })
  })

  test('which a preset may bring', () => {
    const lenient = task.preset({ onError: 'warn' })
    expect(() =>
      lenient('restart', { on: 'app', rolling: { batch: 1, maxFail: 1 }, run: noop }),
    ).not.toThrow()
  })

  test.each([[-1], [1.5], ['x%'], ['101%'], [true]])('maxFail %j is refused', (maxFail) => {
    const rolling = { batch: 1, maxFail: maxFail as number }
    const { message } = problemOf(() => task('restart', { on: 'app', rolling, onError: 'warn', run: noop }))
    expect(message).toBe(`rolling of the task 'restart' has the maxFail ${JSON.stringify(maxFail)}`)
  })
})
