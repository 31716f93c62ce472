import { defineConfig, plan, run, task, type PerHost, type Plan, type RunEvent } from 'deployfile'
import * as z from 'zod'
import { expectTypeOf, test } from 'vitest'

const one = task('one', { input: z.object({ name: z.string() }), run: ({ input }) => input.name })
const each = task('each', { on: 'web', run: () => ({ path: '/srv' }) })
const primary = task('primary', { on: { role: 'db', pick: 'primary' }, run: () => 3 })
const maybe = task('maybe', { when: () => false, run: () => 3 })
const config = defineConfig({ stages: { dev: { hosts: {} } }, tasks: [one, each, primary, maybe] })

test('results have the type of the task that is asked for', async () => {
  const { outcome, events } = run(config, {
    tasks: ['each', one.with({ name: 'x' })],
    inputs: { 'one.name': 1 },
  })
  const { result } = await outcome
  expectTypeOf(result(one)).toEqualTypeOf<string>()
  expectTypeOf(result(one.with({ name: 'x' }))).toEqualTypeOf<string>()
  expectTypeOf(result(each)).toEqualTypeOf<PerHost<{ path: string }>>()
  expectTypeOf(result(primary)).toEqualTypeOf<number>()
  expectTypeOf(result(maybe)).toEqualTypeOf<number | undefined>()
  expectTypeOf(result('one')).toEqualTypeOf<unknown>()
  expectTypeOf(events).toEqualTypeOf<AsyncIterable<RunEvent>>()
  // @ts-expect-error a per-host result is read by host
  String(result(each).path)
  for await (const event of events) {
    if (event.type === 'node.ended') expectTypeOf(event.status).toExtend<string>()
    // @ts-expect-error a log line has no status
    if (event.type === 'node.log') void event.status
  }
})

test('what is asked for is checked', () => {
  expectTypeOf(plan('deploy.config.ts', { tasks: ['x'] })).toEqualTypeOf<Promise<Plan>>()
  run(config, { tasks: ['one'], confirm: 'production', yes: true, signal: AbortSignal.timeout(1000) })
  run(config, { tasks: ['one'], confirm: async ({ answer }) => Promise.resolve(answer) })
  // @ts-expect-error tasks are names or values
  run(config, { tasks: [1] })
  // @ts-expect-error no tasks were named
  run(config, { stage: 'dev' })
  // @ts-expect-error a question is answered by the name, never by yes
  run(config, { tasks: ['one'], confirm: () => true })
  // @ts-expect-error what is no text, number or boolean is given by `.with`
  run(config, { tasks: ['one'], inputs: { name: ['a'] } })
  // @ts-expect-error a config is a path or what defineConfig returns
  run({ stages: {} }, { tasks: ['one'] })
  // @ts-expect-error an unknown option
  run(config, { tasks: ['one'], stages: 'dev' })
})
