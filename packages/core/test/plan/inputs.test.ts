import { group, isProblem, resolvePlan, task, type AnyTask } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { catalogOf } from './catalog-of.ts'

const noop = (): void => undefined
const restore = task('db:restore', {
  input: z.object({ file: z.string(), jobs: z.number().int().default(2) }),
  run: noop,
})
const build = task('build', {
  input: z.object({ mode: z.enum(['dev', 'prod']).default('prod'), fast: z.boolean().default(false) }),
  run: noop,
})
const tag = task('tag', {
  input: z.object({ mode: z.string().default('x'), names: z.array(z.string()).default([]) }),
  run: noop,
})

function inputsOf(
  tasks: readonly AnyTask[],
  names: readonly string[],
  inputs: Record<string, string>,
): Record<string, unknown> {
  const plan = resolvePlan(catalogOf({ tasks }), { tasks: names, inputs })
  return Object.fromEntries(
    plan.nodes.filter(({ input }) => input !== undefined).map(({ id, input }) => [id, input]),
  )
}

function messageOf(make: () => unknown): string {
  try {
    make()
  } catch (thrown) {
    if (isProblem(thrown)) return `${thrown.message} | ${thrown.details.hint ?? ''}`
    throw thrown
  }
  throw new Error('nothing was thrown')
}

describe('a value becomes what the schema wants', () => {
  test.each([
    [restore, { file: 'a=b.pgdump', jobs: '4' }, { file: 'a=b.pgdump', jobs: 4 }],
    [restore, { file: '12' }, { file: '12', jobs: 2 }],
    [build, { fast: 'yes', mode: 'dev' }, { fast: true, mode: 'dev' }],
    [build, { fast: 'off' }, { fast: false, mode: 'prod' }],
    [tag, { names: 'a,b' }, { mode: 'x', names: ['a', 'b'] }],
    [tag, { names: '' }, { mode: 'x', names: [] }],
  ])('%#', (one, given, wanted) => {
    expect(inputsOf([one], [one.name], given)).toEqual({ [one.name]: wanted })
  })
})

describe('a key finds its task', () => {
  const both = group('both', { build, tag })
  const user = task('user', { needs: { build }, run: noop })

  test('the requested tasks and the members of requested groups', () => {
    expect(inputsOf([both], ['both'], { mode: 'dev' })).toEqual({
      build: { mode: 'dev', fast: false },
      tag: { mode: 'dev', names: [] },
    })
  })

  test('else the only planned task that has it', () => {
    expect(inputsOf([user], ['user'], { mode: 'dev' })).toEqual({ build: { mode: 'dev', fast: false } })
  })

  test('task.key=value always', () => {
    expect(inputsOf([both], ['both'], { 'tag.mode': 'y' })).toEqual({
      build: { mode: 'prod', fast: false },
      tag: { mode: 'y', names: [] },
    })
  })

  test('what .with bound is never overwritten', () => {
    const bound = group('bound', { build: build.with({ mode: 'dev' }) })
    expect(inputsOf([bound], ['bound'], { mode: 'prod', fast: 'true' })).toEqual({
      'build{"mode":"dev"}': { mode: 'dev', fast: true },
    })
  })

  test('two candidates are listed', () => {
    const two = task('two', { needs: { build, tag }, run: noop })
    expect(messageOf(() => inputsOf([two], ['two'], { mode: 'y' }))).toBe(
      "'mode' is an input of several planned tasks | Say which: tag.mode=y  or  build.mode=y",
    )
  })
})

test.each([
  [{ fil: 'x' }, "'db:restore' takes no input 'fil' | Did you mean 'file'?"],
  [{}, "the input of 'db:restore' does not fit: file=… is missing | Its inputs are: file=… jobs=…"],
  [
    { file: 'x', jobs: 'many' },
    "the input of 'db:restore' does not fit: jobs=many is not a whole number | For example jobs=2\nIts inputs are: file=… jobs=…",
  ],
])('%o', (given, message) => {
  expect(messageOf(() => inputsOf([restore], ['db:restore'], given))).toBe(message)
})

describe('an input is JSON', () => {
  const when = task('when', {
    input: z.object({ at: z.string().transform((text) => ({ day: new Date(text) })) }),
    run: noop,
  })
  const odd = task('odd', { input: z.object({ of: z.unknown() }), run: noop })

  test('also what its schema makes of it', () => {
    expect(messageOf(() => inputsOf([when], ['when'], { at: '2026-01-01' }))).toMatch(
      /^'at\.day' of the input of 'when' is a Date, which JSON cannot carry \| A plan is data: /,
    )
  })

  test.each([
    [new Map(), 'a Map'],
    [() => 1, 'a function'],
    [7n, 'a bigint'],
    [Number.NaN, 'NaN'],
  ])('also what .with binds, and it is told where it is bound: %o', (of, what) => {
    expect(messageOf(() => odd.with({ of }))).toMatch(
      `'of' of the input of 'odd' is ${what}, which JSON cannot carry`,
    )
  })
})
