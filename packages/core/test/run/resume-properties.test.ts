import type { RunEvent } from '@deployfile/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failingTasks, firstLife, goOn, wellTasks, type Cut, type CutTask, type World } from './cut-run.ts'

// Each of them is some hundred runs: every event, four ways to be killed there.
const RUNS = 6

const newWorld = (): World => ({ done: new Map() })
const sorted = ({ done }: World): unknown => [...done].sort(([a], [b]) => (a < b ? -1 : 1))

/** Every way in which the first process of a run can be killed. */
async function everyCut(
  specs: readonly CutTask[],
): Promise<{ readonly cuts: readonly Cut[]; readonly end: World }> {
  const end = newWorld()
  const { recorded } = await firstLife(specs, end)
  const cuts = recorded
    .slice(0, -1)
    .flatMap((_, index) =>
      (['after', 'before the next'] as const).flatMap((when) =>
        [true, false].map((loses): Cut => ({ at: index + 1, when, loses })),
      ),
    )
  return { cuts, end }
}

const second = fc.record<Cut>({
  at: fc.integer({ min: 1, max: 12 }),
  when: fc.constantFrom('after', 'before the next'),
  loses: fc.boolean(),
})

test.each([
  ['that would end well', wellTasks],
  ['that fails', failingTasks],
])(
  'a run %s, killed at any event and once more while it goes on, ends as if nothing had been',
  { timeout: 240_000 },
  async (_, tasks) => {
    await fc.assert(
      fc.asyncProperty(tasks, second, async (specs, again) => {
        const { cuts, end } = await everyCut(specs)
        for (const cut of cuts) {
          const world = newWorld()
          const { killed, recorded } = await firstLife(specs, world, cut)
          expect(killed).toBe(true)
          const events = await goOn(specs, world, recorded, 'resume', again)
          expect(sorted(world), JSON.stringify(cut)).toEqual(sorted(end))
          expectWellFormed(events)
        }
      }),
      { numRuns: RUNS },
    )
  },
)

/** The second is a point of no return and calls what the first, on which it does not stand, has called before it. */
const sharingCall: readonly CutTask[] = [1, 1, 0].map((calls, index) => ({
  ...({ behaviour: 'at once', needs: 0, onWeb: false, rolling: false, lock: false, hooked: false } as const),
  ...{ commits: index === 1, calls, time: 1 },
}))

test('a run killed at any event can be undone', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(wellTasks, failingTasks), second, async (specs, again) => {
      const { cuts } = await everyCut(specs)
      for (const cut of cuts) {
        const world = newWorld()
        const first = await firstLife(specs, world, cut)
        // Before its first event was kept, nothing was done.
        if (first.recorded.length === 0) {
          expect(sorted(world)).toEqual([])
          continue
        }
        const events = await goOn(specs, world, first.recorded, 'undo', again)
        const behind = behindCommit(specs, events)
        // What was called stays with its caller; what several calls share stays with any of them.
        const stays = [...world.done.keys()].filter((id) => {
          const [name = '', , of] = id.split(' ')
          return !(name === 'shared' ? behind.size > 0 : behind.has(of ?? id))
        })
        expect(stays, JSON.stringify(cut)).toEqual([])
        expectWellFormed(events)
      }
    }),
    { numRuns: RUNS, examples: [[sharingCall, { at: 1, when: 'after', loses: false }]] },
  )
})

/** All that a point of no return stands on which has ended well wherever it is planned. */
function behindCommit(specs: readonly CutTask[], events: readonly RunEvent[]): ReadonlySet<string> {
  const [first] = events
  if (first?.type !== 'run.started') throw new Error('no start')
  const { nodes, edges } = first.plan
  const well = new Set(
    events.flatMap((event) =>
      event.type === 'node.ended' && event.phase === 'run' && ['done', 'skipped'].includes(event.status)
        ? [event.node]
        : [],
    ),
  )
  const behind = new Set<string>()
  const add = (id: string): void => {
    if (behind.has(id)) return
    behind.add(id)
    for (const { from, to } of edges) if (to === id) add(from)
  }
  for (const [index, { commits }] of specs.entries()) {
    const of = nodes.filter(
      (node) => node.task === `t${String(index)}` && node.kind === 'task' && node.skip === undefined,
    )
    if (commits && of.every(({ id }) => well.has(id))) for (const { id } of of) add(id)
  }
  return behind
}

/** No gap in the numbers, and nothing twice that one life of a node has once. */
function expectWellFormed(events: readonly RunEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  expect(events.filter(({ type }) => type === 'run.started')).toHaveLength(1)
  expect(events.at(-1)?.type).toBe('run.ended')
  const finished = new Set<string>()
  let kept = new Set<string>()
  for (const event of events) {
    if (event.type === 'run.resumed') kept = new Set(event.kept)
    if (event.type !== 'node.started' && event.type !== 'node.ended') continue
    const { node, phase } = event
    if (phase === 'run') expect(kept, 'what is kept is not run').not.toContain(node)
    if (phase === 'run' && event.type === 'node.started') finished.delete(node)
    if (phase !== 'finally') continue
    expect(finished, 'finally has one turn').not.toContain(node)
    if (event.type === 'node.ended') finished.add(node)
  }
}
