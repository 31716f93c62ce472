import {
  resolvePlan,
  task,
  type AnyTask,
  type BaseContext,
  type Host,
  type Plan,
  type RunEvent,
  type RunOutcome,
} from '@deployfile/core'
import fc from 'fast-check'
import { catalogOf } from '../plan/catalog-of.ts'
import { manualClock, type ManualClock } from '@deployfile/core'
import { runTasks } from './run-plan.ts'

/** What becomes of a body: `deaf` never ends and hears no signal, `flaky` fails so many times first. */
type Behaviour =
  | 'at once'
  | 'slow'
  | 'fails'
  | 'fails late'
  | 'skips'
  | 'unplanned'
  | 'deaf'
  | 'flaky'
  | 'warns'
  | 'deaf, only warns'

export interface NodeSpec {
  readonly behaviour: Behaviour
  /** Bits: which of the nodes before it needs. */
  readonly needs: number
  readonly onWeb: boolean
  readonly rolling: boolean
  /** Hosts of a rolling task that may fail. */
  readonly maxFail: number | undefined
  /** On other hosts its body is well. */
  readonly sick: 'all' | 'web1'
  readonly commits: boolean
  readonly locks: readonly string[]
  readonly undo: 'none' | 'works' | 'fails' | 'deaf'
  readonly last: 'none' | 'works' | 'fails' | 'deaf'
  readonly time: number
  readonly retries: number
}

export interface RunSpec {
  readonly nodes: readonly NodeSpec[]
  readonly mode: 'no-new' | 'continue' | 'kill'
  readonly interruptAt: number | undefined
  readonly concurrency: number
  readonly perHost: number
  readonly pool: number
  /** Whether there is an onFailure task. */
  readonly tells: boolean
}

const node: fc.Arbitrary<NodeSpec> = fc.record({
  behaviour: fc.constantFrom(
    ...([
      'at once',
      'slow',
      'slow',
      'fails',
      'fails late',
      'skips',
      'unplanned',
      'deaf',
      'flaky',
      'warns',
      'deaf, only warns',
    ] as const),
  ),
  needs: fc.nat(255),
  onWeb: fc.boolean(),
  rolling: fc.boolean(),
  maxFail: fc.option(fc.nat(2), { nil: undefined }),
  sick: fc.constantFrom('all', 'web1'),
  commits: fc.boolean(),
  locks: fc.uniqueArray(fc.constantFrom('a', 'b', 'pool'), { maxLength: 3 }),
  undo: fc.constantFrom('none', 'works', 'works', 'fails', 'deaf'),
  last: fc.constantFrom('none', 'works', 'works', 'works', 'fails', 'deaf'),
  time: fc.integer({ min: 1, max: 50 }),
  retries: fc.nat(3),
})

export const runSpec: fc.Arbitrary<RunSpec> = fc.record({
  nodes: fc.array(node, { minLength: 1, maxLength: 9 }),
  mode: fc.constantFrom('no-new', 'continue', 'kill'),
  interruptAt: fc.option(fc.nat(120), { nil: undefined }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  perHost: fc.integer({ min: 1, max: 2 }),
  pool: fc.integer({ min: 1, max: 3 }),
  tells: fc.boolean(),
})

export interface RandomRun {
  readonly spec: RunSpec
  readonly plan: Plan
  readonly tasks: ReadonlyMap<string, NodeSpec>
  readonly events: readonly RunEvent[]
  readonly outcome: RunOutcome
  /** Entries into bodies, with how many events there were. */
  readonly entries: readonly {
    readonly phase: 'run' | 'undo' | 'finally'
    readonly node: string
    readonly after: number
  }[]
  readonly told: number
}

/** Runs a random graph on a clock of its own; undefined when it never ends, whatever time passes. */
export async function runRandom(spec: RunSpec): Promise<RandomRun | undefined> {
  const clock = manualClock()
  const entries: RandomRun['entries'][number][] = []
  const events: RunEvent[] = []
  const tasks: AnyTask[] = []
  for (const [index, one] of spec.nodes.entries()) {
    const needs = Object.fromEntries(
      tasks.flatMap((need, bit) => (one.needs & (1 << bit) ? [[need.name, need]] : [])),
    )
    tasks.push(
      declare(`t${String(index)}`, one, needs, clock, (phase, id) => {
        entries.push({ phase, node: id, after: events.length })
      }),
    )
  }
  let told = 0
  const tell = task('tell', {
    run: () => {
      told++
    },
  })
  const last = task('last', { needs: Object.fromEntries(tasks.map((one) => [one.name, one])), run: () => 1 })
  const pools = spec.nodes.some(({ locks }) => locks.includes('pool')) ? { pool: spec.pool } : {}
  const catalog = catalogOf({ tasks: [last], onFailure: spec.tells ? [tell] : [], pools })
  const specs = new Map(spec.nodes.map((one, index) => [`t${String(index)}`, one]))
  const plan = resolvePlan(catalog, { stage: 'production', tasks: ['last'] })
  const controller = new AbortController()
  if (spec.interruptAt !== undefined)
    clock.wait(spec.interruptAt, () => {
      controller.abort()
    })
  let ran: Awaited<ReturnType<typeof runTasks>> | undefined
  const running = runTasks([last], {
    catalog,
    clock,
    signal: controller.signal,
    onFailure: spec.mode,
    concurrency: spec.concurrency,
    perHost: spec.perHost,
    onEvent: (event) => events.push(event),
  })
  running.then(
    (ended) => (ran = ended),
    () => undefined,
  )
  // Every wait of every node, an hour for each undo included.
  await clock.advance(1000 * 3_600_000)
  if (!ran) return undefined
  return { spec, plan, tasks: specs, events, outcome: ran.outcome, entries, told }
}

type Context = BaseContext & { readonly host?: Host }

type Enter = (phase: 'run' | 'undo' | 'finally', node: string) => void

function declare(
  name: string,
  spec: NodeSpec,
  needs: Record<string, AnyTask>,
  clock: ManualClock,
  enter: Enter,
): AnyTask {
  const idOf = ({ host }: Context): string => (host ? `${name}@production/${host.name}` : name)
  const failed = new Map<string, number>()
  const later = (signal: AbortSignal, fails: boolean): Promise<number> =>
    new Promise((resolve, reject) => {
      const callOff = clock.wait(spec.time, () => {
        if (fails) reject(new Error('late'))
        else resolve(1)
      })
      signal.addEventListener('abort', () => {
        callOff()
        reject(new Error('cancelled'))
      })
    })
  const run = (context: Context): unknown => {
    const id = idOf(context)
    enter('run', id)
    const isWell = spec.sick === 'web1' && context.host !== undefined && context.host.name !== 'web1'
    switch (isWell ? 'at once' : spec.behaviour) {
      case 'at once':
      case 'unplanned':
        return 1
      case 'slow':
        return later(context.signal, false)
      case 'fails late':
        return later(context.signal, true)
      case 'skips':
        context.skip('no')
        return undefined
      case 'deaf':
      case 'deaf, only warns':
        return new Promise(() => undefined)
      case 'flaky':
        failed.set(id, (failed.get(id) ?? 0) + 1)
        if ((failed.get(id) ?? 0) > 2) return later(context.signal, false)
        throw new Error('flaky')
      case 'fails':
      case 'warns':
        throw new Error('fails')
    }
  }
  const undo = (context: Context): unknown => {
    enter('undo', idOf(context))
    if (spec.undo === 'fails') throw new Error('undo')
    return spec.undo === 'deaf' ? new Promise(() => undefined) : later(context.signal, false)
  }
  const last = (context: Context): unknown => {
    enter('finally', idOf(context))
    if (spec.last === 'fails') throw new Error('finally')
    return spec.last === 'deaf' ? new Promise(() => undefined) : undefined
  }
  const isDeaf = spec.behaviour === 'deaf' || spec.behaviour === 'deaf, only warns'
  const rolls = spec.onWeb && spec.rolling
  const tolerates = rolls && spec.maxFail !== undefined
  const onlyWarns = tolerates || spec.behaviour === 'warns' || spec.behaviour === 'deaf, only warns'
  return task(name, {
    needs,
    ...(spec.onWeb && { on: 'web' }),
    ...(rolls && { rolling: { batch: 1, wait: spec.time, ...(tolerates && { maxFail: spec.maxFail }) } }),
    ...(spec.locks.length > 0 && { lock: spec.locks }),
    ...(isDeaf && { timeout: spec.time }),
    ...(onlyWarns && { onError: 'warn' as const }),
    ...(spec.behaviour === 'unplanned' && { when: () => false }),
    ...(spec.retries > 0 && { retry: { times: spec.retries, delay: spec.time } }),
    commits: spec.commits,
    run,
    ...(spec.undo !== 'none' && { undo: undo as () => void }),
    ...(spec.last !== 'none' && { finally: last as () => void }),
  }) as AnyTask
}
