import { manualClock, task, type AnyTask, type BaseContext, type Host, type RunEvent } from '@deployfile/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { runTasks } from './run-plan.ts'

interface HelperSpec {
  readonly behaviour: 'at once' | 'slow' | 'fails' | 'skips' | 'warns' | 'deaf'
  readonly needs: number
  /** Which of the helpers before it it calls; 0 is none. */
  readonly calls: number
  readonly onWeb: boolean
  readonly undo: boolean
}

interface CallerSpec {
  readonly calls: readonly number[]
  readonly together: boolean
  readonly catches: boolean
  readonly onWeb: boolean
  readonly retries: number
  readonly needs: number
  readonly undo: boolean
  readonly timeout: number | undefined
}

const helper: fc.Arbitrary<HelperSpec> = fc.record({
  behaviour: fc.constantFrom('at once', 'at once', 'slow', 'slow', 'fails', 'skips', 'warns', 'deaf'),
  needs: fc.nat(15),
  calls: fc.nat(3),
  onWeb: fc.boolean(),
  undo: fc.boolean(),
})

const spec = fc.record({
  helpers: fc.array(helper, { minLength: 1, maxLength: 4 }),
  callers: fc.array(
    fc.record<CallerSpec>({
      calls: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
      together: fc.boolean(),
      catches: fc.boolean(),
      onWeb: fc.boolean(),
      retries: fc.nat(1),
      needs: fc.nat(7),
      undo: fc.boolean(),
      timeout: fc.option(fc.integer({ min: 5, max: 60 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  fails: fc.boolean(),
  interruptAt: fc.option(fc.nat(80), { nil: undefined }),
})

type Context = BaseContext & { readonly host?: Host; readonly call: (task: AnyTask) => Promise<unknown> }

/** Runs random bodies that call; undefined when that never ends, whatever time passes. */
async function run({
  helpers,
  callers,
  fails,
  interruptAt,
}: typeof spec extends fc.Arbitrary<infer T> ? T : never) {
  const clock = manualClock()
  const later = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const callOff = clock.wait(10, resolve)
      signal.addEventListener('abort', () => {
        callOff()
        reject(new Error('stopped'))
      })
    })
  const tasks: AnyTask[] = []
  const needsOf = (bits: number, of: readonly AnyTask[]): Record<string, AnyTask> =>
    Object.fromEntries(of.flatMap((one, bit) => (bits & (1 << bit) ? [[one.name, one]] : [])))
  for (const [index, one] of helpers.entries()) {
    const below = [...tasks]
    const body = async (context: Context): Promise<unknown> => {
      if (one.behaviour === 'deaf') return new Promise(() => undefined)
      const called = below[one.calls - 1]
      if (called) await context.call(called)
      if (one.behaviour !== 'at once') await later(context.signal)
      if (one.behaviour === 'fails' || one.behaviour === 'warns') throw new Error(one.behaviour)
      if (one.behaviour !== 'skips') return 1
      context.skip('no')
      return undefined
    }
    tasks.push(
      task(`h${String(index)}`, {
        needs: needsOf(one.needs, below),
        ...(one.onWeb && { on: 'app' }),
        ...(one.behaviour === 'warns' && { onError: 'warn' as const }),
        ...(one.behaviour === 'deaf' && { timeout: 5 }),
        run: body,
        ...(one.undo && { undo: ({ signal }: BaseContext) => later(signal) }),
        finally: () => undefined,
      }) as AnyTask,
    )
  }
  const tops: AnyTask[] = []
  for (const [index, one] of callers.entries()) {
    const body = async (context: Context): Promise<unknown> => {
      const call = async (number: number): Promise<void> => {
        const called = tasks[number % tasks.length]
        if (!called) return
        await (one.catches ? context.call(called).catch(() => undefined) : context.call(called))
      }
      if (one.together) await Promise.all(one.calls.map(call))
      else for (const number of one.calls) await call(number)
      return 1
    }
    tops.push(
      task(`t${String(index)}`, {
        needs: needsOf(one.needs, tops),
        ...(one.onWeb && { on: 'web' }),
        ...(one.retries > 0 && { retry: { times: one.retries, delay: 3 } }),
        ...(one.timeout !== undefined && { timeout: one.timeout }),
        run: body,
        ...(one.undo && { undo: ({ signal }: BaseContext) => later(signal) }),
      }) as AnyTask,
    )
  }
  const last = task('last', {
    needs: needsOf(255, tops),
    run: () => {
      if (fails) throw new Error('last')
    },
  })
  const events: RunEvent[] = []
  const controller = new AbortController()
  if (interruptAt !== undefined)
    clock.wait(interruptAt, () => {
      controller.abort()
    })
  let over: Awaited<ReturnType<typeof runTasks>> | undefined
  void runTasks([last], {
    catalog: catalogOf({ tasks: [...tasks, last] }),
    ...{ clock, signal: controller.signal, grace: 20, onEvent: (event: RunEvent) => events.push(event) },
  }).then((ended) => (over = ended))
  await clock.advance(1000 * 3_600_000)
  return over && { outcome: over.outcome, events, helpers, callers }
}

type Ran = NonNullable<Awaited<ReturnType<typeof run>>>

async function ofEvery(check: (ran: Ran) => void): Promise<void> {
  await fc.assert(
    fc.asyncProperty(spec, async (one) => {
      const ran = await run(one)
      expect(ran, 'the run never ended').toBeDefined()
      if (ran) check(ran)
    }),
    { numRuns: 150 },
  )
}

const at = ({ events }: Ran, type: RunEvent['type'], node: string, phase: string): number =>
  events.findLastIndex(
    (event) => event.type === type && 'node' in event && event.node === node && event.phase === phase,
  )

test(
  'every run with calls ends, and what is called settles once for every start, before its caller',
  { timeout: 60_000 },
  async () => {
    await ofEvery((ran) => {
      const open = new Map<string, string>()
      for (const event of ran.events) {
        if (event.type !== 'node.started' && event.type !== 'node.ended') continue
        const { node, phase } = event
        if (phase !== 'run') continue
        if (event.type === 'node.started') {
          expect(open.has(node)).toBe(false)
          if (event.parent !== undefined)
            expect(open.has(event.parent), `${node} after its caller`).toBe(true)
          open.set(node, event.parent ?? '')
        } else {
          open.delete(node)
          expect([...open.values()], `${node} before what it called`).not.toContain(node)
        }
      }
      expect([...open.keys()]).toEqual([])
      for (const { status } of ran.outcome.nodes.values()) expect(status).toBeDefined()
    })
  },
)

test(
  'what was called is undone once, before its caller and before all that it was built on',
  { timeout: 60_000 },
  async () => {
    await ofEvery((ran) => {
      const { outcome, events } = ran
      const called = outcome.called ?? []
      const abandoned = [...outcome.nodes.values()].some((node) => node.abandoned)
      const undone = events.flatMap((event) =>
        event.type === 'node.started' && event.phase === 'undo' ? [event.node] : [],
      )
      expect(new Set(undone).size).toBe(undone.length)
      if (outcome.status === 'done') {
        expect(undone).toEqual([])
        return
      }
      const reused = new Map(
        events.flatMap((event) => (event.type === 'node.reused' ? [[event.node, event.of] as const] : [])),
      )
      const before = (first: string, second: string): void => {
        if (!undone.includes(first) || !undone.includes(second)) return
        expect(at(ran, 'node.ended', first, 'undo'), `${first} before ${second}`).toBeLessThan(
          at(ran, 'node.started', second, 'undo'),
        )
      }
      for (const node of called) {
        const has = ran.helpers[Number(node.task.slice(1))]?.undo === true
        if (!has) expect(undone).not.toContain(node.id)
        else if (!abandoned) expect(undone).toContain(node.id)
        if (outcome.nodes.get(node.id)?.abandoned) expect(undone).not.toContain(node.id)
        before(node.id, node.parent)
      }
      for (const event of events) {
        if (event.type !== 'node.calling') continue
        for (const { from, to } of [...event.plan.edges, ...event.plan.uses])
          before(to, reused.get(from) ?? from)
      }
      // Of one caller the newest first.
      for (const [index, older] of called.entries())
        for (const newer of called.slice(index + 1))
          if (newer.parent === older.parent) before(newer.id, older.id)
    })
  },
)

test('finally runs once for all that was called', { timeout: 60_000 }, async () => {
  await ofEvery(({ outcome, events }) => {
    const last = events.flatMap((event) =>
      event.type === 'node.started' && event.phase === 'finally' ? [event.node] : [],
    )
    expect(last.sort()).toEqual((outcome.called ?? []).map(({ id }) => id).sort())
  })
})
