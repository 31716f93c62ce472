import { all, group, isProblem, namespace, optional, recipe, resolvePlan, task } from '@deployfile/core'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { catalogOf } from '../plan/catalog-of.ts'
import { runTasks } from '../run/run-plan.ts'

const shared = task('assets', { run: () => 'dist' })

function app(where: string) {
  const release = task('deploy:release', {
    on: 'web',
    input: z.object({ branch: z.string().default('main') }),
    needs: { shared },
    run: ({ needs, input }) => `${where}/${needs.shared}/${input.branch}`,
  })
  // Not in the record, but between two tasks that are.
  const hidden = task('deploy:hidden', {
    needs: { every: all(release) },
    run: ({ needs }) => needs.every.length,
  })
  const publish = task('deploy:publish', {
    needs: { hidden, release, hotfix: release.with({ branch: 'hotfix' }), maybe: optional(all(release)) },
    run: ({ needs }) => [needs.hidden, needs.release[0]?.value, needs.hotfix[0]?.value, needs.maybe?.length],
  })
  return recipe({ release, publish, deploy: group('deploy', { publish }) })
}

test('prefixes every task of a recipe, and its needs among themselves', async () => {
  const api = namespace('api', app('/api'))
  const web = namespace('web', app('/web'))
  const catalog = catalogOf({ use: [api, web] })
  expect([...catalog.tasks.keys()].sort()).toEqual([
    ...['api:deploy', 'api:deploy:hidden', 'api:deploy:publish', 'api:deploy:release'],
    'assets',
    ...['web:deploy', 'web:deploy:hidden', 'web:deploy:publish', 'web:deploy:release'],
  ])
  const both = task('both', {
    needs: { api: api.tasks.publish, web: web.tasks.publish },
    run: ({ needs }) => [needs.api, needs.web],
  })
  const { outcome } = await runTasks([both], { catalog: catalogOf({ use: [api, web], tasks: [both] }) })
  expect(outcome.nodes.get('both')?.result).toEqual([
    [2, '/api/dist/main', '/api/dist/hotfix', 2],
    [2, '/web/dist/main', '/web/dist/hotfix', 2],
  ])
  // What the project gave to both runs once.
  expect([...outcome.nodes.keys()].filter((node) => node.includes('assets'))).toEqual(['assets'])
})

test('keeps the properties, the places and the descriptions; the recipe itself stays as it was', () => {
  const plain = app('/x')
  const api = namespace('api', plain)
  expect(api.tasks.release.name).toBe('api:deploy:release')
  expect(api.tasks.release['~task'].location).toEqual(plain.tasks.release['~task'].location)
  expect(plain.tasks.release.name).toBe('deploy:release')
  const catalog = catalogOf({ use: [plain, api] })
  expect(
    resolvePlan(catalog, { stage: 'dev', tasks: ['deploy'] }).nodes.map(({ task }) => task),
  ).not.toContain('api:deploy:release')
})

test('hooks go by the longer names', () => {
  const notify = task('notify', { run: () => 1 })
  const catalog = catalogOf({ use: [namespace('api', app('/x'))], after: { 'api:deploy:publish': [notify] } })
  const plan = resolvePlan(catalog, { stage: 'dev', tasks: ['api:deploy'] })
  expect(plan.edges).toContainEqual({
    from: 'api:deploy:publish',
    to: 'notify',
    kind: 'success',
    reason: { type: 'after', hook: 'notify', of: 'api:deploy:publish' },
  })
})

test('namespaces may be put into each other', () => {
  const inner = namespace('b', namespace('a', app('/x')))
  expect(inner.tasks.publish.name).toBe('b:a:deploy:publish')
  expect([...catalogOf({ use: [inner] }).tasks.keys()].sort()).toEqual([
    ...['assets', 'b:a:deploy', 'b:a:deploy:hidden', 'b:a:deploy:publish', 'b:a:deploy:release'],
  ])
})

test('a chain of 10,000 needs is renamed without a stack overflow', { timeout: 60_000 }, () => {
  let last = task('t0', { run: () => 1 })
  const tasks = { first: last }
  for (let count = 1; count < 10_000; count++) {
    last = task(`t${String(count)}` as 't0', { needs: { last }, run: () => 1 })
  }
  const long = namespace('api', recipe({ ...tasks, last }))
  expect(catalogOf({ use: [long] }).tasks.size).toBe(10_000)
  expect(long.tasks.last.name).toBe('api:t9999')
})

test('a prefix is a word', () => {
  try {
    namespace('my api', app('/x'))
    expect.unreachable()
  } catch (thrown) {
    if (!isProblem(thrown)) throw thrown
    expect(thrown.message).toBe('"my api" cannot be the name of a task')
    expect(thrown.details.location?.file).toBe(import.meta.filename)
  }
})
