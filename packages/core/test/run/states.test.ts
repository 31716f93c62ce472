import { replay, resolvePlan, task, undoRecorded, type RunEvent } from '@deployfile/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { failingTasks, firstLife, goOn, wellTasks, type Cut, type CutTask } from './cut-run.ts'
import { readDrawings, type Transition } from './drawn.ts'
import { runRandom, runSpec, type NodeSpec, type RunSpec } from './random-run.ts'
import { noShells, runTasks } from './run-plan.ts'
import { shown } from './shown.ts'

const drawn = readDrawings()

function notDrawn(seen: ReturnType<typeof shown>): readonly Transition[] {
  return [
    ...seen.node.filter((transition) => !drawn.node.has(transition)),
    ...seen.run.filter((transition) => !drawn.run.has(transition)),
  ]
}

test('a run shows no transition that docs/run.md does not draw', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(runSpec, async (spec) => {
      const run = await runRandom(spec)
      expect(run, 'the run never ended').toBeDefined()
      if (run) expect(notDrawn(shown(run.plan, run.events))).toEqual([])
    }),
    { numRuns: 300 },
  )
})

/** A run that is killed once or twice, and resumed or taken back by the next process. */
const killed = fc.record({
  specs: fc.oneof(wellTasks, failingTasks),
  cut: cut(40),
  want: fc.constantFrom('resume', 'undo'),
  again: cut(12),
})

function cut(max: number): fc.Arbitrary<Cut> {
  return fc.record({
    at: fc.integer({ min: 1, max }),
    when: fc.constantFrom('after', 'before the next'),
    loses: fc.boolean(),
  })
}

async function shownByKilled({ specs, cut, want, again }: ValueOf<typeof killed>): Promise<Shown> {
  const world = { done: new Map() }
  const { recorded } = await firstLife(specs, world, cut)
  const events = await goOn(specs, world, recorded, want, again)
  const [first] = events
  if (first?.type !== 'run.started') throw new Error('a run without its start')
  return shown(first.plan, events)
}

type Shown = ReturnType<typeof shown>
type ValueOf<A> = A extends fc.Arbitrary<infer V> ? V : never

test('nor does one that is killed and goes on in another process', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(killed, async (one) => {
      expect(notDrawn(await shownByKilled(one))).toEqual([])
    }),
    { numRuns: 200 },
  )
})

const node: NodeSpec = {
  behaviour: 'at once',
  needs: 0,
  onWeb: false,
  rolling: false,
  maxFail: undefined,
  sick: 'all',
  commits: false,
  locks: [],
  undo: 'none',
  last: 'none',
  time: 10,
  retries: 0,
}

type Part = Partial<NodeSpec>

/** What follows needs all that stands before it. */
function chain(parts: readonly Part[], more: Partial<RunSpec> = {}): RunSpec {
  return of(
    parts.map((part, index) => ({ needs: 2 ** index - 1, ...part })),
    more,
  )
}

function of(parts: readonly Part[], more: Partial<RunSpec> = {}): RunSpec {
  return {
    nodes: parts.map((part) => ({ ...node, ...part })),
    mode: 'no-new',
    interruptAt: undefined,
    concurrency: 4,
    perHost: 2,
    pool: 1,
    tells: false,
    ...more,
  }
}

const back: Part = { undo: 'works', last: 'works' }
const fails: Part = { behaviour: 'fails' }
const slow: Part = { behaviour: 'slow' }
const long: Part = { behaviour: 'slow', time: 50 }
const interrupted = { interruptAt: 5 }
const goesOn = { mode: 'continue' } as const

/** Runs that show everything which is drawn, each for the sake of what it is named by. */
const special: Readonly<Record<string, RunSpec>> = {
  'all is well': chain([{ behaviour: 'unplanned' }, { behaviour: 'skips' }, slow]),
  'every way to end is undone': chain([
    back,
    { ...back, behaviour: 'skips' },
    { ...back, behaviour: 'warns' },
    { ...back, ...fails },
  ]),
  'a cancelled one is undone': of([{ ...slow, ...back }], interrupted),
  'another attempt': of([{ behaviour: 'flaky', retries: 3 }]),
  'undo fails': of([{ ...fails, undo: 'fails', last: 'works' }]),
  'all is well, with a last act': of([{ last: 'works' }]),
  'finally fails': of([{ last: 'fails' }]),
  'finally of every way to end': chain([
    { last: 'works', behaviour: 'skips' },
    { last: 'works', behaviour: 'warns' },
    { last: 'works', behaviour: 'deaf' },
  ]),
  'one that hangs keeps its ground': chain([
    back,
    { ...back, behaviour: 'skips' },
    { ...back, behaviour: 'warns' },
    { ...back, behaviour: 'deaf' },
  ]),
  'an undo that hangs keeps its ground, too': chain([back, { ...fails, undo: 'deaf' }]),
  'a lost lock': of([
    { behaviour: 'deaf, only warns', locks: ['a'] },
    { behaviour: 'warns', locks: ['a'] },
  ]),
  'stopped, with nothing to do': of([fails]),
  'interrupted, with nothing to do': of([slow], interrupted),
  'stopped, onFailure': of([fails], { tells: true }),
  'interrupted, onFailure': of([slow], { ...interrupted, tells: true }),
  'stopped, finally': of([{ ...fails, last: 'works' }]),
  'interrupted, finally': of([{ ...slow, last: 'works' }], interrupted),
  'stopped, undo': of([{ ...fails, undo: 'works' }]),
  'interrupted, undo': of([{ ...slow, undo: 'works' }], interrupted),
  'stopped, undo, onFailure': of([{ ...fails, undo: 'works' }], { tells: true }),
  'stopped, onFailure, finally': of([{ ...fails, last: 'works' }], { tells: true }),
  'going on, with nothing to do': of([fails], goesOn),
  'going on, onFailure': of([fails], { ...goesOn, tells: true }),
  'going on, finally': of([{ ...fails, last: 'works' }], goesOn),
  'going on, undo': of([{ ...fails, undo: 'works' }], goesOn),
  'stopped between announcement and body': of([{ ...fails, time: 1 }, long], { concurrency: 2 }),
}

const plain: CutTask = {
  behaviour: 'at once',
  needs: 0,
  onWeb: false,
  rolling: false,
  commits: false,
  lock: false,
  hooked: false,
  calls: 0,
  time: 1,
}

/** Killed while t1 has the lock; in the next process t2 has it first, and fails. */
const otherOrder: ValueOf<typeof killed> = {
  specs: [
    { ...plain, calls: 0b1 },
    { ...plain, behaviour: 'fails late', needs: 0b1, onWeb: true, lock: true },
    { ...plain, behaviour: 'fails', lock: true },
  ],
  cut: { at: 14, when: 'after', loses: false },
  want: 'resume',
  again: { at: 100, when: 'after', loses: false },
}

/** A run that was killed when all was done but its end, and is taken back. */
async function shownByUndo(last: boolean): Promise<Shown> {
  const only = task('only', {
    run: () => 1,
    undo: () => undefined,
    ...(last && { finally: () => undefined }),
  })
  const first = await runTasks([only])
  const recorded = await replay(first.events.slice(0, last ? 3 : -1))
  const events: RunEvent[] = [...first.events.slice(0, recorded.seq)]
  await undoRecorded(recorded, {
    catalog: catalogOf({ tasks: [only] }),
    shells: noShells,
    run: recorded.run,
    ask: () => Promise.resolve(),
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
  })
  return shown(recorded.plan, events)
}

test('docs/run.md draws no transition that no run shows', { timeout: 60_000 }, async () => {
  const node = new Set<Transition>()
  const run = new Set<Transition>()
  for (const [name, spec] of Object.entries(special)) {
    const ran = await runRandom(spec)
    expect(ran, `'${name}' never ended`).toBeDefined()
    if (!ran) continue
    const seen = shown(ran.plan, ran.events)
    expect(notDrawn(seen), name).toEqual([])
    for (const one of seen.node) node.add(one)
    for (const one of seen.run) run.add(one)
  }
  const lives = fc.sample(killed, { seed: 20, numRuns: 100 }).map(shownByKilled)
  const more = [shownByKilled(otherOrder), shownByUndo(false), shownByUndo(true)]
  for (const seen of await Promise.all([...lives, ...more])) {
    for (const one of seen.node) node.add(one)
    for (const one of seen.run) run.add(one)
  }
  expect([...drawn.node].filter((one) => !node.has(one))).toEqual([])
  expect([...drawn.run].filter((one) => !run.has(one))).toEqual([])
})

describe('a log of the run that is lost at any event', () => {
  test.each(['no-new', 'continue'] as const)(
    'stops the work, and nothing that comes after (%s)',
    async (onFailure) => {
      for (const fails of [true, false]) for (let at = 1; at <= 18; at++) await loseAt(at, fails, onFailure)
    },
  )

  async function loseAt(at: number, fails: boolean, onFailure: 'no-new' | 'continue'): Promise<void> {
    let calls = 0
    const append = (): void => {
      if (++calls >= at) throw new Error('no space left on device')
    }
    const first = task('first', { run: () => 1, undo: () => undefined, finally: () => undefined })
    const run = (): void => {
      if (fails) throw new Error('broken')
    }
    const last = task('last', { needs: { first }, run, finally: () => undefined })
    const tell = task('tell', { run: () => 1 })
    const catalog = catalogOf({ tasks: [last], onFailure: [tell] })
    const plan = resolvePlan(catalog, { stage: 'production', tasks: ['last'] })
    const journal = { append, flush: () => undefined, sync: () => undefined, close: () => undefined }
    const { events } = await runTasks([last], { catalog, journal, onFailure })
    expect(notDrawn(shown(plan, events)), String(at)).toEqual([])
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  }
})
