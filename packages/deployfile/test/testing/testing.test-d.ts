import { task } from 'deployfile'
import { fake, testRun, testTask } from 'deployfile/testing'
import * as z from 'zod'
import { expectTypeOf, test } from 'vitest'

const build = task('build', { run: () => ({ dir: 'dist', size: 3 }) })
const release = task('release', { on: 'web', run: ({ host }) => host.name })
const nothing = task('nothing', { run: () => undefined })
const tag = task('tag', {
  input: z.object({ name: z.string() }),
  needs: { build },
  run: ({ input }) => input.name,
})
const free = task('free', { input: z.object({ name: z.string().default('x') }), run: () => 1 })

test('what a fake gives has the type of what the task gives', () => {
  fake(build, { dir: 'x', size: 1 })
  fake(build, () => ({ dir: 'x', size: 1 }))
  fake(build, async () => Promise.resolve({ dir: 'x', size: 1 }))
  fake(release, ({ host }) => host?.name ?? '')
  fake(tag, ({ input }) => input.name)
  fake(nothing)
  // @ts-expect-error a wrong type
  fake(build, { dir: 1, size: 1 })
  // @ts-expect-error a missing field
  fake(build, { dir: 'x' })
  // @ts-expect-error a field that the result does not have
  fake(build, { dir: 'x', size: 1, files: 2 })
  // @ts-expect-error a function that gives something else
  fake(release, () => 3)
  // @ts-expect-error no result where there must be one
  fake(build)
  // @ts-expect-error the input has no such key
  fake(tag, ({ input }) => input.nmae)
})

test('a tested task gives its result, and takes its input', async () => {
  expectTypeOf((await testTask(build)).result).toEqualTypeOf<{ dir: string; size: number } | undefined>()
  expectTypeOf((await testTask(tag, { input: { name: 'x' } })).result).toEqualTypeOf<string | undefined>()
  await testTask(free)
  await testTask(free, { input: { name: 'y' } })
  // @ts-expect-error the input is required
  await testTask(tag)
  // @ts-expect-error and not given by other options
  await testTask(tag, { host: 'web1' })
  // @ts-expect-error a wrong input
  await testTask(tag, { input: { name: 1 } })
  // @ts-expect-error a fake is made by fake()
  await testTask(tag, { input: { name: 'x' }, fakes: [{ build: 1 }] })
  // @ts-expect-error an unknown option
  await testTask(build, { undone: true })
})

test('results of a tested run are typed by the task', async () => {
  const { result } = await testRun([build, release])
  expectTypeOf(result(release).get('host')).toEqualTypeOf<string | undefined>()
  expectTypeOf(result(build).size).toEqualTypeOf<number>()
  // @ts-expect-error a result that the task does not have
  String(result(build).sise)
})
