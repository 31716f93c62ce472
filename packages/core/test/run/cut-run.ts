import {
  execute,
  manualClock,
  replay,
  resolvePlan,
  task,
  undoRecorded,
  type AnyTask,
  type BaseContext,
  type Catalog,
  type ExecuteOptions,
  type Host,
  type ManualClock,
  type PerHost,
  type Plan,
  type RecordedRun,
  type RunEvent,
  type Task,
} from '@deployfile/core'
import fc from 'fast-check'
import * as z from 'zod'
import { catalogOf } from '../plan/catalog-of.ts'
import { noShells } from './run-plan.ts'

/** A task that does the same whenever it is run, so that only the journal decides what a killed run ends as. */
export interface CutTask {
  readonly behaviour: 'at once' | 'slow' | 'fails' | 'fails late' | 'skips' | 'warns' | 'unplanned' | 'flaky'
  /** Bits: which of the tasks before it needs. */
  readonly needs: number
  readonly onWeb: boolean
  readonly rolling: boolean
  readonly commits: boolean
  readonly lock: boolean
  readonly hooked: boolean
  /** Bits: which of the helpers it calls. */
  readonly calls: number
  readonly time: number
}

/** What tasks change: survives the processes that change it. */
export interface World {
  readonly done: Map<string, string>
}

/** Where a process is killed: with so many events appended by it, right after that or right before the next one. */
export interface Cut {
  readonly at: number
  readonly when: 'after' | 'before the next'
  /** What was appended and not flushed is lost with the process. */
  readonly loses: boolean
}

const cutTask = (behaviours: readonly CutTask['behaviour'][]): fc.Arbitrary<CutTask> =>
  fc.record({
    behaviour: fc.constantFrom(...behaviours),
    needs: fc.nat(63),
    onWeb: fc.boolean(),
    rolling: fc.boolean(),
    commits: fc.boolean(),
    lock: fc.boolean(),
    hooked: fc.boolean(),
    calls: fc.oneof(fc.constant(0), fc.nat(3)),
    time: fc.integer({ min: 1, max: 20 }),
  })

export const wellTasks: fc.Arbitrary<readonly CutTask[]> = fc.array(
  cutTask(['at once', 'slow', 'slow', 'skips', 'warns', 'unplanned', 'flaky']),
  { minLength: 1, maxLength: 5 },
)

/** At least one fails. Without points of no return: what is behind one depends on how far the others had come. */
export const failingTasks: fc.Arbitrary<readonly CutTask[]> = fc
  .tuple(
    fc.array(cutTask(['at once', 'slow', 'skips', 'warns', 'flaky', 'fails late']), {
      minLength: 1,
      maxLength: 4,
    }),
    cutTask(['fails', 'fails late']),
  )
  .map(([others, fails]) => [...others, fails].map((one) => ({ ...one, commits: false })))

/** What was appended to the journal of one process, and what of it outlives the process. */
export interface Life {
  readonly killed: boolean
  readonly recorded: readonly RunEvent[]
}

type Begin = (catalog: Catalog, plan: Plan, options: ExecuteOptions) => Promise<unknown>

/** One process that has a run: its world stands still from the moment it is killed. */
async function live(
  specs: readonly CutTask[],
  world: World,
  cut: Cut | undefined,
  begin: Begin,
): Promise<Life> {
  const clock = manualClock()
  const kept: RunEvent[] = []
  let flushed = 0
  let dead = false
  const kill = (): void => {
    dead = true
    if (cut?.loses === true) kept.length = flushed
  }
  const alive = (): boolean => !dead
  const catalog = catalogFor(specs, { world, clock, alive })
  const plan = resolvePlan(catalog, { stage: 'production', tasks: ['last'] })
  const flush = (): void => {
    if (!dead) flushed = kept.length
  }
  const end = { over: false }
  const running = begin(catalog, plan, {
    catalog,
    shells: noShells,
    clock,
    run: { id: 'test', startedAt: new Date(0), user: 'somebody', root: '/' },
    ask: () => Promise.resolve(),
    signal: new AbortController().signal,
    concurrency: 3,
    journal: {
      append(event) {
        if (dead) return
        if (cut?.when === 'before the next' && kept.length === cut.at) {
          kill()
          return
        }
        // As it comes back from a file.
        kept.push(JSON.parse(JSON.stringify(event)) as RunEvent)
        if (cut?.when === 'after' && kept.length === cut.at) kill()
      },
      flush,
      sync: flush,
      close: () => undefined,
    },
  })
  running.then(
    () => (end.over = true),
    () => undefined,
  )
  await clock.advance(100 * 3_600_000)
  if (!end.over && alive()) throw new Error('the run never ended')
  return { killed: !alive(), recorded: kept }
}

export function firstLife(specs: readonly CutTask[], world: World, cut?: Cut): Promise<Life> {
  return live(specs, world, cut, (_catalog, plan, options) => execute(plan, options))
}

function resumedLife(
  specs: readonly CutTask[],
  world: World,
  recorded: RecordedRun,
  cut?: Cut,
): Promise<Life> {
  return live(specs, world, cut, (_catalog, plan, options) =>
    execute(plan, { ...options, resumed: recorded }),
  )
}

function undoingLife(
  specs: readonly CutTask[],
  world: World,
  recorded: RecordedRun,
  cut?: Cut,
): Promise<Life> {
  return live(specs, world, cut, (_catalog, _plan, options) => undoRecorded(recorded, options))
}

/**
 * Goes on with what is left of a run, as a person would: resumed, or taken back where that had begun or is wanted; once more when that
 * is killed by `cut`. All events from the first.
 */
export async function goOn(
  specs: readonly CutTask[],
  world: World,
  events: readonly RunEvent[],
  want: 'resume' | 'undo',
  cut?: Cut,
): Promise<readonly RunEvent[]> {
  if (events.length === 0) return (await firstLife(specs, world)).recorded
  const recorded = await replay(events)
  if (recorded.status !== 'unfinished') return events
  const next = recorded.takingBack || want === 'undo' ? undoingLife : resumedLife
  const life = await next(specs, world, recorded, cut)
  const all = [...events, ...life.recorded]
  return life.killed ? goOn(specs, world, all, want) : all
}

interface Means {
  readonly world: World
  readonly clock: ManualClock
  readonly alive: () => boolean
}

function catalogFor(specs: readonly CutTask[], means: Means): Catalog {
  const tasks: AnyTask[] = []
  const helpers = helpersFor(means)
  for (const [index, spec] of specs.entries()) {
    const needs = Object.fromEntries(
      tasks.flatMap((need, bit) => (spec.needs & (1 << bit) ? [[need.name, need]] : [])),
    )
    const called = helpers.filter((_, bit) => spec.calls & (1 << bit))
    tasks.push(cutTaskOf(`t${String(index)}`, spec, needs, { ...means, called }))
  }
  const last = task('last', {
    needs: Object.fromEntries(tasks.map((one) => [one.name, one])),
    run: () => undefined,
  })
  const hooked = specs.flatMap(({ hooked: has, onWeb, rolling }, index) =>
    // A hook elsewhere would wait for all batches of a rolling task at once.
    has && !(onWeb && rolling) ? [`t${String(index)}`] : [],
  )
  const hooks = hooked.map((name) => ({ name, hook: hookOf(`${name}:after`, means) }))
  return catalogOf({
    tasks: [last, ...hooks.map(({ hook }) => hook), ...helpers],
    after: Object.fromEntries(hooks.map(({ name, hook }) => [name, [hook]])),
    onFailure: [task('tell', { run: () => undefined })],
  })
}

function hookOf(name: string, { world, alive }: Means): AnyTask {
  return task(name, {
    run: () => {
      if (alive()) world.done.set(name, 'hook')
    },
    undo: () => {
      if (alive()) world.done.delete(name)
    },
  }) as AnyTask
}

const helperInput = z.object({ of: z.string() })
type Helper =
  | Task<'helper:1', z.input<typeof helperInput>, string>
  | Task<'helper:2', z.input<typeof helperInput>, string>

/** Tasks that are only called: one of them needs a third, which all calls share, and calls a fourth. */
function helpersFor({ world, clock, alive }: Means): readonly Helper[] {
  const later = (): Promise<void> =>
    new Promise((resolve) => clock.wait(1, () => (alive() ? resolve() : undefined)))
  const parts = (name: string) => {
    const keyOf = ({
      host,
      input,
    }: BaseContext & { readonly host?: Host; readonly input: unknown }): string => {
      const { of = '' } = input as { readonly of?: string }
      return `${name} ${host?.name ?? ''} ${of}`
    }
    return {
      put: async (context: Parameters<typeof keyOf>[0]): Promise<string> => {
        await later()
        if (alive()) world.done.set(keyOf(context), 'called')
        return keyOf(context)
      },
      undo: async (context: Parameters<typeof keyOf>[0]): Promise<void> => {
        await later()
        if (alive()) world.done.delete(keyOf(context))
      },
    }
  }
  const [shared, deep, one, two] = ['shared', 'deep', 'one', 'two'].map(parts)
  if (!shared || !deep || !one || !two) throw new Error('no parts')
  const sharedTask = task('helper:shared', { run: (context) => shared.put(context), undo: shared.undo })
  const deepTask = task('helper:deep', {
    input: helperInput,
    run: (context) => deep.put(context),
    undo: deep.undo,
  })
  return [
    task('helper:1', {
      needs: { shared: sharedTask },
      input: helperInput,
      run: async (context) => `${await one.put(context)} ${await context.call(deepTask, context.input)}`,
      undo: one.undo,
    }),
    task('helper:2', {
      on: 'app',
      needs: { shared: sharedTask },
      input: helperInput,
      run: (context) => two.put(context),
      undo: two.undo,
    }),
    deepTask as unknown as Helper,
  ]
}

type Context = BaseContext & {
  readonly host?: Host
  readonly needs: Readonly<Record<string, unknown>>
  readonly call: (task: AnyTask, input: unknown) => Promise<unknown>
}

function cutTaskOf(
  name: string,
  spec: CutTask,
  needs: Record<string, AnyTask>,
  { world, clock, alive, called }: Means & { readonly called: readonly AnyTask[] },
): AnyTask {
  const put = (id: string, value: string): void => {
    if (alive()) world.done.set(id, value)
  }
  const idOf = ({ host }: Omit<Context, 'call'>): string => (host ? `${name}@production/${host.name}` : name)
  // In a process that is killed nothing goes on.
  const later = (): Promise<void> =>
    new Promise((resolve) => clock.wait(spec.time, () => (alive() ? resolve() : undefined)))
  const attempts = new Map<string, number>()
  const run = async (context: Context): Promise<unknown> => {
    const id = idOf(context)
    if (spec.behaviour === 'skips') return context.skip('no', 'nothing')
    put(id, 'half')
    if (spec.behaviour === 'fails' || spec.behaviour === 'warns') throw new Error('fails')
    if (spec.behaviour !== 'at once') await later()
    const results = []
    for (const helper of called) results.push(show(await context.call(helper, { of: id })))
    if (spec.behaviour === 'fails late') throw new Error('fails')
    attempts.set(id, (attempts.get(id) ?? 0) + 1)
    if (spec.behaviour === 'flaky' && attempts.get(id) === 1) throw new Error('flaky')
    const value = `${id}(${[...Object.values(context.needs).map(show), ...results].join()})`
    put(id, value)
    return value
  }
  return task(name, {
    needs,
    ...(spec.onWeb && { on: 'web' }),
    ...(spec.onWeb && spec.rolling && { rolling: { batch: 1, wait: spec.time } }),
    ...(spec.lock && { lock: 'the lock' }),
    ...(spec.behaviour === 'warns' && { onError: 'warn' as const }),
    ...(spec.behaviour === 'unplanned' && { when: () => false }),
    ...(spec.behaviour === 'flaky' && { retry: { times: 1, delay: 1 } }),
    commits: spec.commits,
    run,
    undo: async (context: Omit<Context, 'call'>) => {
      await later()
      if (alive()) world.done.delete(idOf(context))
    },
    finally: () => undefined,
  }) as AnyTask
}

/** What a body got for one of its needs, in one word: its results are part of the end state, too. */
function show(need: unknown): string {
  if (typeof need === 'string') return need
  if (need === undefined) return '-'
  return `[${[...(need as PerHost<unknown>)].map(({ host, value }) => `${host.name}:${show(value)}`).join()}]`
}
