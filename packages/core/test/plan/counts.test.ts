import { all, group, resolvePlan, task, where, type AnyTask, type Plan } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from './catalog-of.ts'

const noop = (): void => undefined

function stageOf(count: number): object {
  const hosts = Object.fromEntries(
    Array.from({ length: count }, (_, host) => [`h${String(host)}`, { roles: ['app'] }]),
  )
  return { production: { hosts } }
}

/** Tasks on so many hosts, each waiting for all hosts of the one before. */
function barriers(tasks: number, hosts: number): Plan {
  let last = task('t0', { on: 'app', run: noop })
  for (let index = 1; index < tasks; index++) {
    last = task(`t${String(index)}`, { on: 'app', needs: { last: all(last) }, run: noop }) as typeof last
  }
  const catalog = catalogOf({ tasks: [last], stages: stageOf(hosts), defaultStage: 'production' })
  return resolvePlan(catalog, { tasks: [last.name] })
}

describe('what a plan costs grows with hosts, not with hosts × hosts', () => {
  test('a barrier is an edge into its join and one out of it for each host', () => {
    for (const hosts of [10, 100]) {
      const { nodes, edges, perHost } = barriers(6, hosts)
      expect(nodes).toHaveLength(6 * hosts + 5)
      expect(edges).toHaveLength(5 * 2 * hosts)
      expect(Object.values(perHost ?? {}).map((list) => list.length)).toEqual(Array(5).fill(hosts))
    }
  })

  test('its JSON does, too', () => {
    const [small, large] = [barriers(6, 20), barriers(6, 200)].map((plan) => JSON.stringify(plan).length)
    expect(large! / small!).toBeLessThan(12)
  })

  test('hosts that read the same share the object that says so', () => {
    const { nodes } = barriers(2, 50)
    const needs = nodes.filter(({ task: name }) => name === 't1').map((node) => node.needs)
    expect(new Set(needs).size).toBe(1)
  })

  test('however many tasks wait for all hosts of one, these are joined once', () => {
    const first = task('first', { on: 'app', run: noop })
    const others = Array.from({ length: 20 }, (_, index) =>
      task(`t${String(index)}`, { needs: { first }, run: noop }),
    )
    const last = group('last', Object.fromEntries(others.map((one) => [one.name, one])))
    const catalog = catalogOf({ tasks: [last], stages: stageOf(30), defaultStage: 'production' })
    const { nodes, edges } = resolvePlan(catalog, { tasks: ['last'] })
    expect(nodes.filter(({ kind }) => kind === 'join')).toHaveLength(1)
    expect(edges).toHaveLength(30 + 20 + 20)
  })
})

test('`where` and `when` are asked once for each host, however many tasks need the one that asks', () => {
  const asked = { where: 0, when: 0 }
  const asking = task('asking', {
    on: where(() => ++asked.where > 0),
    when: () => ++asked.when > 0,
    run: noop,
  }) as AnyTask
  const others = Array.from({ length: 10 }, (_, index) =>
    task(`t${String(index)}`, { on: 'app', needs: { asking }, run: noop }),
  )
  const hooked = task('hooked', { on: 'app', run: noop })
  const last = group('last', { hooked, ...Object.fromEntries(others.map((one) => [one.name, one])) })
  const catalog = catalogOf({
    ...{ tasks: [last], before: { hooked: [asking] } },
    ...{ stages: stageOf(40), defaultStage: 'production' },
  })
  resolvePlan(catalog, { tasks: ['last'] })
  expect(asked).toEqual({ where: 40, when: 40 })
})

describe('chains of 10,000 are planned without a stack overflow', () => {
  const LENGTH = 10_000

  function chain(next: (before: AnyTask, name: string) => AnyTask): AnyTask {
    let last: AnyTask = task('t0', { on: 'app', run: noop }) as AnyTask
    for (let index = 1; index < LENGTH; index++) last = next(last, `t${String(index)}`)
    return last
  }

  function count(last: AnyTask, parts = {}): number {
    const catalog = catalogOf({ tasks: [last], stages: stageOf(1), defaultStage: 'production', ...parts })
    const { nodes } = resolvePlan(catalog, { tasks: [last.name] })
    return nodes.filter(({ kind }) => kind === 'task').length
  }

  test('through all', { timeout: 60_000 }, () => {
    const last = chain(
      (before, name) =>
        task(name, {
          on: 'app',
          needs: { before: all(before as Parameters<typeof all>[0]) },
          run: noop,
        }) as AnyTask,
    )
    expect(count(last)).toBe(LENGTH)
  })

  test('through groups', { timeout: 60_000 }, () => {
    expect(count(chain((before, name) => group(name, { before }) as AnyTask))).toBe(LENGTH)
  })

  test('through hooks on hooks', { timeout: 60_000 }, () => {
    const tasks = Array.from(
      { length: LENGTH },
      (_, index) => task(`t${String(index)}`, { run: noop }) as AnyTask,
    )
    const before = Object.fromEntries(tasks.slice(1).map((one, index) => [one.name, [tasks[index]!]]))
    expect(count(tasks.at(-1)!, { before })).toBe(LENGTH)
  })
})
