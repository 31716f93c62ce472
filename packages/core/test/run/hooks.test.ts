import { task, type AnyTask } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { runTasks } from './run-plan.ts'

describe('a hook on a hook', () => {
  const order: string[] = []
  const mark = (name: string, fails = false): AnyTask =>
    task(name, {
      run: () => {
        if (fails) throw new Error(`${name} is broken`)
        order.push(name)
      },
    })

  test('runs around it, and both around the task', async () => {
    const body = mark('body')
    const catalog = catalogOf({
      tasks: [body],
      before: { body: [mark('hook')], hook: [mark('below')] },
      after: { hook: [mark('above')] },
    })
    await runTasks([body], { catalog })
    expect(order).toEqual(['below', 'hook', 'above', 'body'])
  })

  test('that fails, fails them all by name', async () => {
    const body = mark('body')
    const catalog = catalogOf({ tasks: [body], before: { body: [mark('hook')], hook: [mark('bad', true)] } })
    const { outcome } = await runTasks([body], { catalog })
    expect(outcome.failures.map(({ node }) => node)).toEqual(['bad'])
    expect(outcome.nodes.get('hook')?.status).toBe('blocked')
    expect(outcome.nodes.get('body')?.status).toBe('blocked')
  })

  test('that is the task itself is a circle, told with every step', () => {
    const body = mark('body')
    const hook = mark('hook')
    const catalog = catalogOf({ tasks: [body], before: { body: [hook], hook: [body] } })
    return expect(runTasks([body], { catalog })).rejects.toThrow(
      `these tasks wait for each other:
  body begins before hook (before: { 'body': [hook] })
  hook begins before body (before: { 'hook': [body] })`,
    )
  })

  test('on itself, too', async () => {
    const body = mark('body')
    const catalog = catalogOf({ tasks: [body], before: { body: [body] } })
    await expect(runTasks([body], { catalog })).rejects.toThrow(
      "body begins before body (before: { 'body': [body] })",
    )
  })
})

test(
  'a chain of 10,000 that fails at its end is taken back without a stack overflow',
  { timeout: 60_000 },
  async () => {
    const counts = { run: 0, undo: 0, finally: 0 }
    const count = (phase: keyof typeof counts) => (): void => {
      counts[phase]++
    }
    let last: AnyTask = task('t0', { run: count('run'), undo: count('undo'), finally: count('finally') })
    for (let index = 1; index < 10_000; index++)
      last = task(`t${String(index)}`, {
        needs: { last },
        run: count('run'),
        undo: count('undo'),
        finally: count('finally'),
      }) as AnyTask
    const end = task('end', { needs: { last }, run: () => Promise.reject(new Error('end')) })
    const { outcome } = await runTasks([end], { stage: 'dev' })
    expect(outcome.failures).toHaveLength(1)
    expect(counts).toEqual({ run: 10_000, undo: 10_000, finally: 10_000 })
  },
)
