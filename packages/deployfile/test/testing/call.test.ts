import { all, task } from 'deployfile'
import { fake, testRun, testTask } from 'deployfile/testing'
import { expect, test } from 'vitest'
import * as z from 'zod'

const build = task('build', {
  input: z.object({ mode: z.string().default('prod') }),
  run: (): { dir: string } => {
    throw new Error('not in a test')
  },
})
const sizes = task('sizes', { on: 'web', run: (): number => 0 })
const ship = task('ship', {
  async run({ call, log }) {
    const { dir } = await call(build, { mode: 'dev' })
    const bytes = await call(sizes)
    log(`${dir}: ${bytes.map(({ host, value }) => `${host.name} ${String(value)}`).join(', ')}`)
    return dir
  },
})

test('what a task calls is faked as what it needs, and told', async () => {
  const { result, calls, logs } = await testTask(ship, {
    fakes: [
      fake(build, ({ input }) => ({ dir: `out/${input.mode ?? ''}` })),
      fake(sizes, ({ host }) => host?.name.length ?? 0),
    ],
    hosts: { web1: {}, 'web-2': {} },
  })
  expect(result).toBe('out/dev')
  expect(logs).toEqual(['out/dev: web1 4, web-2 5'])
  expect(calls).toEqual([
    { node: 'ship', task: 'build', input: { mode: 'dev' } },
    { node: 'ship', task: 'sizes', input: {} },
  ])
})

test('a call of what has no fake says so', async () => {
  const { failure } = await testTask(ship, {})
  expect(failure?.message).toBe("'ship' calls 'build', which the config does not have")
})

test('a fake of nothing that is needed or called is a mistake', async () => {
  const calm = task('calm', { run: () => 1 })
  await expect(testTask(calm, { fakes: [fake(build, { dir: '' })] })).rejects.toThrow(
    "'calm' neither needs nor called 'build', of which there is a fake",
  )
})

test('a whole run tells of its calls, and of their undo', async () => {
  const step = task('step', {
    run: () => 1,
    undo: ({ log }) => {
      log('undone')
    },
  })
  const top = task('top', {
    needs: { every: all(sizes) },
    async run({ call }) {
      await call(step)
      throw new Error('later')
    },
  })
  const { status, calls, logs } = await testRun([step, top], { tasks: [top] })
  expect(status).toBe('failed')
  expect(calls).toEqual([{ node: 'top', task: 'step', input: {} }])
  expect(logs).toEqual(['top→1:step: undone'])
})
