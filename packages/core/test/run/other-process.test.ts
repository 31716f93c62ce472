import type { AnyTask, RunEvent } from '@deployfile/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runTasks, type Ran } from './run-plan.ts'
import { forkedExecutor, type Forked } from './worker/forked-executor.ts'
import * as tasks from './worker/tasks.ts'

let worker: Forked
beforeAll(async () => {
  process.env['WORKER_TEST_TOKEN'] = 'twelve chars'
  worker = await forkedExecutor()
}, 60_000)
afterAll(() => {
  worker.stop()
})

const run = (task: AnyTask, more: Parameters<typeof runTasks>[1] = {}): Promise<Ran> =>
  runTasks([task], { catalog: tasks.catalog, executor: worker.executor, ...more })
const logs = (events: readonly RunEvent[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'node.log' ? [event.message] : []))

test('results flow between hosts and machines, and events come back', async () => {
  const { outcome, events } = await run(tasks.flow)
  expect(outcome.nodes.get('flow')?.result).toEqual({
    all: [
      [true, 'web1:dist'],
      [true, 'web2:dist'],
    ],
    year: 1970,
  })
  expect(logs(events)).toEqual([`built by ${String(worker.pid)}`])
  expect(events).toContainEqual(expect.objectContaining({ type: 'node.progress', done: 1, total: 2 }))
})

test('what a body throws keeps its kind; undo gets the result, the outcome and what went wrong', async () => {
  const { outcome, events } = await run(tasks.fails)
  expect(outcome.failures).toMatchObject([
    { node: 'fails', problem: { kind: 'check', code: 'NO_ROOM', hint: 'Make room.' } },
  ])
  expect(logs(events)).toEqual(['7 done NO_ROOM', 'last'])
})

test('a skip, a timeout and an answer pass', async () => {
  expect((await run(tasks.skips)).outcome.nodes.get('skips')).toEqual({ status: 'skipped', result: 3 })
  expect((await run(tasks.hangs)).outcome.failures).toMatchObject([{ problem: { code: 'TASK_TIMEOUT' } }])
  const questions: string[] = []
  const ask = ({ message }: { readonly message: string }): Promise<void> => {
    questions.push(message)
    return Promise.resolve()
  }
  expect((await run(tasks.asks, { ask })).outcome.nodes.get('asks')?.result).toBe('confirmed')
  expect(questions).toEqual(['Sure?'])
})

test('an interrupt reaches a body', async () => {
  const stop = new AbortController()
  const { outcome } = await run(tasks.waits, {
    signal: stop.signal,
    onEvent: ({ type }) => {
      if (type === 'node.log') stop.abort()
    },
  })
  expect(outcome.nodes.get('waits')?.status).toBe('cancelled')
})

test('a body calls another task', async () => {
  expect((await run(tasks.calls)).outcome.nodes.get('calls')?.result).toEqual({ twice: 42 })
})

test('a secret goes by its name', async () => {
  const { outcome, events } = await run(tasks.secrets)
  expect(outcome.nodes.get('secrets')?.result).toBe('twelve chars'.length)
  expect(JSON.stringify(events)).not.toContain('twelve chars')
})

test('a worker that dies fails what it was running', async () => {
  const { outcome } = await run(tasks.dies)
  expect(outcome.failures).toMatchObject([
    { node: 'dies', problem: { code: 'WORKER_GONE', message: 'the worker ended with SIGKILL' } },
  ])
})
