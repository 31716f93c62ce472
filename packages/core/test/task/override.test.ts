import { all, group, override, recipe, resolvePlan, task } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { catalogOf } from '../plan/catalog-of.ts'
import { runTasks } from '../run/run-plan.ts'
import { problemOf } from '../problem-of.ts'

const noop = (): void => undefined

function made(base: Parameters<typeof override>[0], spec: object): ReturnType<typeof override> {
  return override(base, spec as Parameters<typeof override>[1])
}

const revision = task('revision', { run: () => 'abc' })
const release = task('release', {
  input: z.object({ branch: z.string().default('main') }),
  needs: { revision },
  run: ({ needs, input }) => ({ path: `/${needs.revision}/${input.branch}` }),
})
const publish = task('publish', { needs: { release }, run: ({ needs }) => needs.release.path })
const app = recipe({ revision, release, publish })

describe('an override in tasks', () => {
  test("takes the task's place in the recipe's own needs, and can run it", async () => {
    const assets = task('assets', { run: () => 'dist' })
    const more = override(release, {
      // The same word as in the task's own needs, for another task: each body sees its own.
      needs: { revision: assets },
      async run({ base, needs }) {
        const { path } = await base()
        return { path: `${path}+${needs.revision}` }
      },
    })
    const catalog = catalogOf({ use: [app], tasks: [more] })
    const { outcome } = await runTasks([publish], { catalog })
    expect(outcome.failures).toEqual([])
    expect(outcome.nodes.get('publish')?.result).toBe('/abc/main+dist')
    const plan = resolvePlan(catalog, { stage: 'dev', tasks: ['publish'] })
    expect(plan.edges.map(({ from, to, reason }) => [from, to, reason])).toEqual([
      ['assets', 'release', { type: 'need', key: 'revision' }],
      ['revision', 'release', { type: 'need', key: 'base.revision' }],
      ['release', 'publish', { type: 'need', key: 'release' }],
    ])
  })

  test('stands in hooks, in groups, in all(…) and where input is bound', async () => {
    const marked = task('marked', {
      on: 'web',
      input: z.object({ as: z.string().default('?') }),
      run: ({ input }) => input.as,
    })
    const louder = override(marked, { run: async ({ base }) => `${await base()}!` })
    const reader = task('reader', {
      needs: { all: all(marked), bound: marked.with({ as: 'b' }), both: group('both', { marked }) },
      run: ({ needs }) => [...needs.all, ...needs.bound].map(({ value }) => value),
    })
    const catalog = catalogOf({
      tasks: [marked, reader, louder],
      after: { reader: [marked.with({ as: 'c' })] },
    })
    const { outcome } = await runTasks([reader], { catalog })
    expect(outcome.nodes.get('reader')?.result).toEqual(['?!', '?!', 'b!', 'b!'])
    expect(outcome.nodes.get('marked{"as":"c"}@production/web1')?.result).toBe('c!')
  })

  test('is what the command line asks for', async () => {
    const other = override(publish, { run: () => 'other' })
    const { outcome } = await runTasks([publish], { catalog: catalogOf({ use: [app], tasks: [other] }) })
    expect(outcome.nodes.get('publish')?.result).toBe('other')
  })

  test('gives base another input, with the defaults filled in, or a message', async () => {
    const hotfix = override(release, { run: ({ base }) => base({ branch: 'hotfix' }) })
    const defaults = override(release, { run: ({ base }) => base({}) })
    const wrong = override(release, { run: ({ base }) => base({ branch: 1 as unknown as string }) })
    const ran = (one: typeof release) =>
      runTasks([publish], { catalog: catalogOf({ use: [app], tasks: [one] }) })
    expect((await ran(hotfix)).outcome.nodes.get('publish')?.result).toBe('/abc/hotfix')
    expect((await ran(defaults)).outcome.nodes.get('publish')?.result).toBe('/abc/main')
    expect((await ran(wrong)).outcome.failures[0]?.problem.message).toMatch(/^base\(…\) of 'release': /)
  })

  test('keeps undo, finally and options, unless it brings its own', async () => {
    const seen: string[] = []
    const keeper = task('keeper', {
      needs: { revision },
      effect: 'destroy',
      run: () => 1,
      undo: ({ needs, result }) => void seen.push(`undo ${needs.revision} ${String(result)}`),
      finally: ({ needs }) => void seen.push(`finally ${needs.revision}`),
    })
    const fails = task('fails', {
      needs: { keeper },
      run: () => {
        throw new Error('no')
      },
    })
    const kept = override(keeper, { run: () => 2 })
    await runTasks([fails], { catalog: catalogOf({ tasks: [keeper, fails, kept] }) })
    expect(seen.splice(0)).toEqual(['undo abc 2', 'finally abc'])
    expect(kept['~task'].spec.effect).toBe('destroy')

    const assets = task('assets', { run: () => 'dist' })
    const own = override(keeper, {
      needs: { assets },
      effect: 'read',
      run: () => 3,
      undo: ({ needs, result }) => void seen.push(`own ${JSON.stringify(needs)} ${String(result)}`),
    })
    await runTasks([fails], { catalog: catalogOf({ tasks: [keeper, fails, own] }) })
    expect(seen).toEqual(['own {"assets":"dist"} 3', 'finally abc'])
    expect(own['~task'].spec.effect).toBe('read')
  })

  test('of an override runs both', async () => {
    const inner = override(publish, {
      needs: { revision },
      run: async ({ base, needs }) => `${await base()} ${needs.revision}`,
    })
    const outer = override(inner, { run: async ({ base }) => `${await base()} outer` })
    const { outcome } = await runTasks([publish], { catalog: catalogOf({ use: [app], tasks: [outer] }) })
    expect(outcome.nodes.get('publish')?.result).toBe('/abc/main abc outer')
  })

  test('gives a milestone a body, which then counts as writing', async () => {
    const updated = group('updated', { release })
    const body = override(updated, { run: noop })
    const catalog = catalogOf({ tasks: [updated, body] })
    const plan = resolvePlan(catalog, { stage: 'dev', tasks: ['updated'] })
    expect(plan.nodes.at(-1)).toMatchObject({ id: 'updated', milestone: false, effect: 'write' })
    expect((await runTasks([updated], { catalog })).outcome.status).toBe('done')
  })
})

describe('what cannot be overridden', () => {
  const one = override(release, { run: ({ base }) => base() })
  const two = override(release, { run: ({ base }) => base() })

  test('a task twice', () => {
    const problem = problemOf(() => catalogOf({ use: [app], tasks: [one, two] }))
    expect(problem.message).toBe("'release' is overridden twice")
    expect(problem.details.location).toEqual(two['~task'].location)
    const first = one['~task'].location
    expect(problem.details.hint).toBe(
      `Make one override of both. The other one is at ${import.meta.filename}:${String(first?.line)}.`,
    )
  })

  test('a task that the config does not have', () => {
    const problem = problemOf(() => catalogOf({ tasks: [one] }))
    expect(problem.message).toBe(
      "'release' is overridden, but the config does not have the task that is overridden",
    )
    expect(problem.details.location).toEqual(one['~task'].location)
  })

  test('by something that needs it', () => {
    const circle = override(release, { needs: { publish }, run: ({ base }) => base() })
    const catalog = catalogOf({ use: [app], tasks: [circle] })
    const problem = problemOf(() => resolvePlan(catalog, { stage: 'dev', tasks: ['publish'] }))
    expect(problem.message.split('\n').sort()).toEqual([
      '  publish runs before release (needs.publish)',
      '  release runs before publish (needs.release)',
      'these tasks wait for each other:',
    ])
  })

  test('another task of the same name', () => {
    const stranger = task('release', { run: noop })
    expect(problemOf(() => catalogOf({ use: [app], tasks: [override(stranger, { run: noop })] })).code).toBe(
      'TASK_DOUBLE',
    )
  })

  test('without being listed', () => {
    const uses = task('uses', { needs: { one }, run: noop })
    expect(problemOf(() => catalogOf({ use: [app], tasks: [uses] })).message).toBe(
      "the override of 'release' is used, but is not in the config's tasks",
    )
  })

  test.each([
    ['its place', { on: 'web', run: noop }, "the override of 'release' cannot change 'on'"],
    ['its input', { input: z.object({}), run: noop }, "the override of 'release' cannot change 'input'"],
    ['its condition', { when: () => true, run: noop }, "the override of 'release' cannot change 'when'"],
    ['a typo', { neds: {}, run: noop }, "the override of 'release' has the unknown key 'neds'"],
    [
      'a word that is taken',
      { needs: { 'base.x': revision }, run: noop },
      "the override of 'release' cannot call a need 'base.x'",
    ],
    ['no body', {}, "the override of 'release' has no run function"],
  ])('%s', (_title, spec, message) => {
    const problem = problemOf(() => made(release, spec))
    expect(problem.message).toBe(message)
    expect(problem.details.location?.file).toBe(import.meta.filename)
  })

  test('a task with its input bound', () => {
    expect(
      problemOf(() => override(release.with({ branch: 'x' }), { run: ({ base }) => base() })).message,
    ).toBe("the override of 'release' is of a task whose input is bound")
  })
})

test('what is bound in the only place that names a task does not bind the command line', () => {
  const user = task('user', { needs: { release: release.with({ branch: 'x' }) }, run: noop })
  const catalog = catalogOf({ tasks: [user] })
  expect(catalog.tasks.get('release')?.['~task'].bound).toBeUndefined()
})
