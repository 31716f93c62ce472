import { manualClock, task, type AnyTask, type NodeStatus } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { runTasks } from './run-plan.ts'

type Fails = (host: string) => boolean

interface Parts {
  readonly batch?: number
  readonly maxFail?: number
  readonly restart?: Fails
  readonly check?: Fails
}

/** `restart` on web1, web2 and db1 in turn, with a health check of each after it, and a last task that needs all of them. */
function restarting({ batch = 1, maxFail = 1, restart, check }: Parts): {
  readonly tasks: readonly AnyTask[]
  readonly check: AnyTask
  readonly seen: unknown[]
} {
  const seen: unknown[] = []
  const failing = (fails: Fails | undefined, host: string, what: string): void => {
    if (fails?.(host)) throw new Error(`${what} is broken`)
  }
  const rolling = task('restart', {
    on: 'app',
    rolling: { batch, maxFail },
    onError: 'warn',
    run: ({ host }) => {
      failing(restart, host.name, 'restart')
      return host.name
    },
  })
  const health = task('check', {
    on: 'app',
    run: ({ host }) => {
      failing(check, host.name, 'check')
    },
  })
  const end = task('end', {
    needs: { rolling },
    run: ({ needs }) => void seen.push(...needs.rolling.map(({ value }) => value)),
  })
  return { tasks: [rolling, end], check: health, seen }
}

const is =
  (...names: readonly string[]): Fails =>
  (host) =>
    names.includes(host)

async function run(
  parts: Parts,
  onFailure: 'no-new' | 'continue' = 'no-new',
): Promise<{
  readonly status: string
  readonly nodes: Readonly<Record<string, NodeStatus | undefined>>
  readonly stopping: readonly string[]
  readonly failed: readonly string[]
  readonly warned: readonly string[]
  readonly seen: readonly unknown[]
}> {
  const { tasks, check, seen } = restarting(parts)
  const catalog = catalogOf({ tasks, after: { restart: [check] } })
  const { outcome, events } = await runTasks(tasks, { catalog, onFailure })
  const nodes = [...outcome.nodes].map(
    ([id, { status }]) => [id.replace('@production/', ' '), status] as const,
  )
  return {
    status: outcome.status,
    nodes: Object.fromEntries(nodes),
    stopping: events.flatMap((event) => (event.type === 'run.stopping' ? [event.reason] : [])),
    failed: outcome.failures.map(({ node }) => node),
    warned: events.flatMap((event) =>
      event.type === 'node.ended' && event.status === 'warned' ? [event.problem?.message ?? ''] : [],
    ),
    seen,
  }
}

describe('rolling.maxFail', () => {
  test('lets so many hosts fail: the next batches follow, the run is done, and dependents see undefined', async () => {
    const ran = await run({ restart: is('web1') })
    expect(ran).toMatchObject({ status: 'done', failed: [], stopping: [], warned: ['restart is broken'] })
    expect(ran.nodes).toMatchObject({
      'restart web1': 'warned',
      'restart web2': 'done',
      'restart db1': 'done',
    })
    expect(ran.seen).toEqual([undefined, 'web2', 'db1'])
  })

  test('counts a host once, whether it or its health check fails or both', async () => {
    const ran = await run({ restart: is('web1'), check: is('web1') })
    expect(ran).toMatchObject({ status: 'done', warned: ['restart is broken', 'check is broken'] })
    expect((await run({ check: is('web2') })).nodes).toMatchObject({
      'restart web2': 'done',
      'check web2': 'warned',
      'restart db1': 'done',
    })
  })

  test.each(['no-new', 'continue'] as const)(
    'is passed by one host more, which fails the run (%s)',
    async (mode) => {
      const ran = await run({ restart: is('web1'), check: is('web2') }, mode)
      expect(ran).toMatchObject({ status: 'failed', failed: ['check@production/web2'], seen: [] })
      expect(ran.nodes).toMatchObject({
        'restart web1': 'warned',
        'check web2': 'failed',
        'restart db1': 'blocked',
        end: 'blocked',
      })
      const why = "'check@production/web2' failed, one host more than the 1 that rolling.maxFail lets fail"
      expect(ran.stopping).toEqual(mode === 'no-new' ? [why] : [])
    },
  )

  test('counts hosts of one batch that fail together', async () => {
    const all = is('web1', 'web2', 'db1')
    expect((await run({ batch: 3, maxFail: 3, restart: all })).status).toBe('done')
    expect((await run({ batch: 3, maxFail: 2, restart: all })).failed).toEqual(['restart@production/db1'])
    expect((await run({ batch: 3, maxFail: 0, restart: all }, 'continue')).failed).toHaveLength(3)
  })

  test('counts a host that hangs; an interrupt cancels as ever, and counts for nothing', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    const later = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('cancelled'))
        })
      })
    const hangs = task('hangs', {
      on: 'app',
      rolling: { batch: 1, maxFail: 1 },
      onError: 'warn',
      timeout: 5,
      run: ({ host, signal }) => (host.name === 'web1' ? new Promise<void>(() => undefined) : later(signal)),
    })
    const running = runTasks([hangs], {
      clock,
      grace: 5,
      signal: controller.signal,
    })
    await clock.advance(11)
    controller.abort()
    await clock.advance(10)
    const { outcome } = await running
    expect(outcome.nodes.get('hangs@production/web1')).toMatchObject({ status: 'warned', abandoned: true })
    expect(outcome.nodes.get('hangs@production/web2')?.status).toBe('cancelled')
    expect(outcome.nodes.get('hangs@production/db1')?.status).toBe('blocked')
    expect(outcome.status).toBe('cancelled')
    expect(outcome.failures).toEqual([])
  })

  test('takes back the hosts that were let fail, too, when the run fails', async () => {
    const undone: string[] = []
    const restart = task('restart', {
      on: 'app',
      rolling: { batch: 1, maxFail: 1 },
      onError: 'warn',
      run: ({ host }) => {
        if (host.name !== 'db1') throw new Error('broken')
      },
      undo: ({ host, outcome }) => void undone.push(`${host.name} ${outcome}`),
    })
    await runTasks([restart])
    expect(undone).toEqual(['web2 failed', 'web1 failed'])
  })
})
