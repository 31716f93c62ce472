import { group, task, type AnyTask } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { manualClock } from '@deployfile/core'
import { gate, runTasks } from './run-plan.ts'

const fails = (name: string, needs: Record<string, AnyTask> = {}): AnyTask =>
  task(name, {
    needs,
    run: () => {
      throw new Error(`${name} is broken`)
    },
  })

describe('onFailure tasks', () => {
  test('run after undo and before finally, with what went wrong', async () => {
    const order: unknown[] = []
    const prepare = task('prepare', {
      run: () => 1,
      undo: () => {
        order.push('undo')
        throw new Error('stuck')
      },
      finally: () => void order.push('finally'),
    })
    const bad = fails('bad', { prepare })
    const tell = task('tell', {
      on: 'db',
      run: ({ failures, host }) => {
        order.push([host.name, ...failures.map(({ node, phase, problem }) => [node, phase, problem.message])])
      },
      finally: () => void order.push('finally of tell'),
    })
    const catalog = catalogOf({ tasks: [bad], onFailure: [tell] })
    const { outcome, events } = await runTasks([bad], { catalog })
    expect(order).toEqual([
      'undo',
      ['db1', ['bad', 'run', 'bad is broken'], ['prepare', 'undo', 'stuck']],
      'finally of tell',
      'finally',
    ])
    expect(outcome.nodes.get('tell@production/db1')?.status).toBe('done')
    expect(events).toContainEqual(
      expect.objectContaining({ node: 'tell@production/db1', type: 'node.started' }),
    )
  })

  test('do not run, and are no part of the outcome, when all went well', async () => {
    const good = task('good', { run: () => 1 })
    const catalog = catalogOf({ tasks: [good], onFailure: [fails('tell')] })
    const { outcome } = await runTasks([good], { catalog })
    expect(outcome.status).toBe('done')
    expect([...outcome.nodes.keys()]).toEqual(['good'])
  })

  test('run after an interrupt, too', async () => {
    const controller = new AbortController()
    const seen: unknown[] = []
    const long = task('long', {
      run: ({ signal }) => {
        controller.abort()
        return signal.aborted ? Promise.reject(new Error('cancelled')) : 1
      },
    })
    const tell = task('tell', {
      run: ({ failures, signal }) => void seen.push(failures.length, signal.aborted),
    })
    const catalog = catalogOf({ tasks: [long], onFailure: [tell] })
    const { outcome } = await runTasks([long], { catalog, signal: controller.signal })
    expect(outcome.status).toBe('cancelled')
    expect(seen).toEqual([0, false])
  })

  test('that fail are added, never first; the others run; what is undone is not theirs', async () => {
    const seen: string[] = []
    const bad = fails('bad')
    const other = task('other', {
      run: () => void seen.push('other'),
      undo: () => void seen.push('undo other'),
    })
    const broken = fails('tell')
    const after = task('after', { needs: { broken }, run: () => void seen.push('after') })
    const catalog = catalogOf({ tasks: [bad], onFailure: [after, other] })
    const { outcome } = await runTasks([bad], { catalog })
    expect(outcome.failures.map(({ problem }) => problem.message)).toEqual([
      'bad is broken',
      'tell is broken',
    ])
    expect(outcome.nodes.get('after')?.status).toBe('blocked')
    expect(seen).toEqual(['other'])
  })

  test('have retry and hooks like any other', async () => {
    const clock = manualClock()
    const order: string[] = []
    let attempt = 0
    const tell = task('tell', {
      retry: { times: 1, delay: '1m' },
      run: () => {
        if (++attempt === 1) throw new Error('no line')
        order.push('told')
      },
    })
    const bad = fails('bad')
    const logs = task('logs', { run: () => void order.push('logs') })
    const catalog = catalogOf({ tasks: [bad], onFailure: [tell], before: { tell: [logs] } })
    const running = runTasks([bad], { catalog, clock })
    await clock.advance(60_000)
    expect((await running).outcome.failures).toHaveLength(1)
    expect(order).toEqual(['logs', 'told'])
  })

  test('that were asked for run once; one that the run needs is refused', async () => {
    const seen: string[] = []
    const tell = task('tell', { run: () => void seen.push('told') })
    const bad = fails('bad', { tell })
    await runTasks([bad], { catalog: catalogOf({ tasks: [bad], onFailure: [tell] }) })
    expect(seen).toEqual(['told'])
    const both = task('both', { needs: { tell }, run: () => 1 })
    await expect(
      runTasks([bad], { catalog: catalogOf({ tasks: [bad], onFailure: [both] }) }),
    ).rejects.toThrow("'tell' would run twice: in this run, and when it fails because of onFailure")
  })

  test('must be tasks', () => {
    expect(() => catalogOf({ tasks: [], onFailure: ['tell'] })).toThrow(
      "the config's onFailure.0 is not a task",
    )
  })
})

describe('what a failure does to the rest', () => {
  /** `bad` fails while `slow` runs; `next` needs slow, `hopeless` needs bad. */
  async function run(onFailure?: 'no-new' | 'continue' | 'kill'): Promise<readonly (string | undefined)[]> {
    const started = gate()
    const clock = manualClock()
    const slow = task('slow', {
      run: ({ signal }) =>
        new Promise((resolve, reject) => {
          started.open()
          signal.addEventListener('abort', () => {
            reject(new Error('cancelled'))
          })
          clock.wait(1000, () => {
            resolve(1)
          })
        }),
    })
    const next = task('next', { needs: { slow }, run: () => 1 })
    const bad = task('bad', {
      run: async (): Promise<void> => {
        await started.opened
        throw new Error('broken')
      },
    })
    const hopeless = task('hopeless', { needs: { bad }, run: () => 1 })
    const end = group('end', { next, hopeless })
    const running = runTasks([end], { clock, ...(onFailure && { onFailure }) })
    await clock.advance(1000)
    const { outcome } = await running
    expect(outcome.failures.map(({ node }) => node)).toEqual(['bad'])
    expect(outcome.status).toBe('failed')
    return ['slow', 'next', 'hopeless'].map((id) => outcome.nodes.get(id)?.status)
  }

  test('by default nothing new starts, and what runs comes to its end', async () => {
    expect(await run()).toEqual(['done', 'blocked', 'blocked'])
    expect(await run('no-new')).toEqual(['done', 'blocked', 'blocked'])
  })

  test('continue runs all that does not depend on it', async () => {
    expect(await run('continue')).toEqual(['done', 'done', 'blocked'])
  })

  test('kill cancels what runs', async () => {
    expect(await run('kill')).toEqual(['cancelled', 'blocked', 'blocked'])
  })
})
