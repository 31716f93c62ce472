import { resolvePlan, task, type NodeStatus, type RunEvent } from '@deployfile/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { runRandom, runSpec, type RandomRun } from './random-run.ts'

const RUNS = 200

/** Checks something of many random runs. A run that never ends fails each of them. */
async function ofEvery(check: (run: RandomRun) => void): Promise<void> {
  await fc.assert(
    fc.asyncProperty(runSpec, async (spec) => {
      const run = await runRandom(spec)
      expect(run, 'the run never ended').toBeDefined()
      if (run) check(run)
    }),
    { numRuns: RUNS },
  )
}

type Ended = Extract<RunEvent, { type: 'node.ended' }>

const endsOf = ({ events }: RandomRun, phase: Ended['phase']): readonly Ended[] =>
  events.filter((event): event is Ended => event.type === 'node.ended' && event.phase === phase)

/** Before its finally: one that failed makes a run a failed one, but undoes nothing. */
const wentWell = ({ outcome }: RandomRun): boolean =>
  [...outcome.nodes.values()].every(({ status }) => MET.includes(status))

const MET: readonly (NodeStatus | undefined)[] = ['done', 'skipped', 'warned']

/** By node, all that it waits for, directly or not. */
function below({ plan }: RandomRun): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const { id } of plan.nodes) {
    const before = plan.edges.filter(({ to }) => to === id).map(({ from }) => from)
    found.set(id, new Set(before.flatMap((from) => [from, ...(found.get(from) ?? [])])))
  }
  return found
}

test('every run ends, and every node settles exactly once', { timeout: 60_000 }, async () => {
  await ofEvery((run) => {
    const ids = [...run.plan.nodes.map(({ id }) => id), ...(run.spec.tells && run.told > 0 ? ['tell'] : [])]
    expect(
      endsOf(run, 'run')
        .map(({ node }) => node)
        .sort(),
    ).toEqual(ids.sort())
    expect([...run.outcome.nodes.keys()].sort()).toEqual(ids)
    expect(run.events.map(({ seq }) => seq)).toEqual(run.events.map((_, index) => index + 1))
    expect(run.events.at(-1)?.type).toBe('run.ended')
  })
})

test('no node starts before its edges are met', { timeout: 60_000 }, async () => {
  await ofEvery((run) => {
    const ended = new Map(endsOf(run, 'run').map((event) => [event.node, event]))
    for (const event of run.events) {
      if (event.type !== 'node.started' || event.phase !== 'run') continue
      for (const edge of run.plan.edges.filter(({ to }) => to === event.node)) {
        const before = ended.get(edge.from)
        expect(before?.seq).toBeLessThan(event.seq)
        if (edge.kind === 'success') expect(MET).toContain(before?.status)
      }
    }
  })
})

test('no body is entered after a stop, but undo, onFailure and finally', { timeout: 60_000 }, async () => {
  await ofEvery((run) => {
    const stopped = run.events.findIndex(({ type }) => type === 'run.stopping')
    const late = run.entries.filter(
      ({ phase, after }) => phase === 'run' && stopped !== -1 && after > stopped,
    )
    expect(late).toEqual([])
    expect(run.told).toBe(run.spec.tells && !wentWell(run) ? 1 : 0)
  })
})

test(
  'what started and is not behind a commit is undone once, after all that stands on it',
  { timeout: 60_000 },
  async () => {
    await ofEvery((run) => {
      const { plan, outcome, tasks } = run
      const under = below(run)
      const started = new Set(run.entries.flatMap(({ phase, node }) => (phase === 'run' ? [node] : [])))
      const undone = run.entries.flatMap(({ phase, node }) => (phase === 'undo' ? [node] : []))
      expect(new Set(undone).size).toBe(undone.length)
      if (wentWell(run)) expect(undone).toEqual([])

      const kept = new Set<string>()
      for (const [name, spec] of tasks) {
        const nodes = plan.nodes.filter(
          (node) => node.task === name && node.kind === 'task' && node.skip === undefined,
        )
        const well = nodes.every(({ id }) =>
          ['done', 'skipped'].includes(outcome.nodes.get(id)?.status ?? ''),
        )
        // One that skipped itself everywhere has not committed.
        const any = nodes.some(({ id }) => outcome.nodes.get(id)?.status === 'done')
        if (!spec.commits || !well || !any) continue
        for (const { id } of nodes) for (const one of [id, ...(under.get(id) ?? [])]) kept.add(one)
      }
      const mayRun = [...outcome.nodes.values()].some(({ abandoned }) => abandoned)
      const hung = run.outcome.failures.some(
        ({ phase, problem }) => phase === 'undo' && problem.code === 'TASK_ABANDONED',
      )
      for (const node of plan.nodes) {
        const spec = tasks.get(node.task)
        const wanted =
          !wentWell(run) &&
          started.has(node.id) &&
          spec?.undo !== 'none' &&
          spec !== undefined &&
          !kept.has(node.id)
        if (!wanted) expect(undone).not.toContain(node.id)
        // Only what is under something that may still be running is left out.
        else if (!mayRun && !hung) expect(undone).toContain(node.id)
        if (wanted) expect(outcome.nodes.get(node.id)?.undone).toBeDefined()
        if (outcome.nodes.get(node.id)?.abandoned) expect(undone).not.toContain(node.id)
      }

      const at = (type: RunEvent['type'], id: string): number =>
        run.events.findIndex(
          (event) => event.type === type && 'node' in event && event.node === id && event.phase === 'undo',
        )
      for (const id of undone) {
        for (const lower of under.get(id) ?? [])
          if (undone.includes(lower)) expect(at('node.ended', id)).toBeLessThan(at('node.started', lower))
      }
    })
  },
)

test('finally runs once for all that started, after everything else', { timeout: 60_000 }, async () => {
  await ofEvery((run) => {
    const started = new Set(run.entries.flatMap(({ phase, node }) => (phase === 'run' ? [node] : [])))
    const last = run.entries.flatMap(({ phase, node }) => (phase === 'finally' ? [node] : []))
    const withLast = [...started].filter(
      (id) =>
        run.tasks.get(id.split('@', 1)[0] ?? '')?.last !== 'none' && run.tasks.has(id.split('@', 1)[0] ?? ''),
    )
    expect(last.sort()).toEqual(withLast.sort())
    const first = run.entries.findIndex(({ phase }) => phase === 'finally')
    const before = run.entries.findLastIndex(({ phase }) => phase !== 'finally')
    if (withLast.length > 0) expect(before).toBeLessThan(first)
  })
})

test('limits in all, per host and per lock are never passed', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(runSpec, async (spec) => {
      const run = await runRandom(spec)
      expect(run, 'the run never ended').toBeDefined()
      const nodes = new Map(run?.plan.nodes.map((node) => [node.id, node]))
      const now = new Map<string, number>()
      const announced = new Set<string>()
      const size = (what: string): number =>
        what === 'all'
          ? spec.concurrency
          : what.startsWith('host')
            ? spec.perHost
            : what === 'pool'
              ? spec.pool
              : 1
      for (const event of run?.events ?? []) {
        if (event.type !== 'node.started' && event.type !== 'node.ended') continue
        const node = nodes.get(event.node)
        if (!node || node.milestone) continue
        // What was never announced has nothing to give back.
        if (event.type === 'node.started') announced.add(`${event.node} ${event.phase}`)
        else if (!announced.has(`${event.node} ${event.phase}`)) continue
        const host = node.host === undefined ? [] : [`host ${node.host}`]
        for (const what of ['all', ...host, ...(node.locks ?? [])]) {
          const count = (now.get(what) ?? 0) + (event.type === 'node.started' ? 1 : -1)
          now.set(what, count)
          expect(count, what).toBeLessThanOrEqual(size(what))
        }
      }
      expect([...now.values()].every((count) => count === 0)).toBe(true)
    }),
    { numRuns: RUNS },
  )
})

test('maxFail lets so many hosts fail, and not one more', { timeout: 60_000 }, async () => {
  await ofEvery(({ plan, outcome }) => {
    const groups = new Map<string, { readonly max: number; readonly bad: Map<string, string> }>()
    for (const { id, tolerance, host = '' } of plan.nodes) {
      if (!tolerance) continue
      const group = groups.get(tolerance.group) ?? { max: tolerance.max, bad: new Map<string, string>() }
      groups.set(tolerance.group, group)
      const status = outcome.nodes.get(id)?.status ?? ''
      if (status === 'warned' || status === 'failed') group.bad.set(host, status)
    }
    for (const { max, bad } of groups.values()) {
      const ends = [...bad.values()]
      expect(ends.filter((status) => status === 'warned')).toHaveLength(Math.min(max, bad.size))
      expect(ends.includes('failed')).toBe(bad.size > max)
    }
  })
})

test(
  'the same config gives the same plan, and nothing of a run changes it',
  { timeout: 60_000 },
  async () => {
    await ofEvery(({ plan }) => {
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
      expect(new Set(plan.nodes.map(({ id }) => id)).size).toBe(plan.nodes.length)
    })
    const make = (): unknown => {
      const a = task('a', { on: 'web', run: () => 1 })
      const b = task('b', { needs: { a }, lock: ['y', 'x'], run: () => 1 })
      return resolvePlan(catalogOf({ tasks: [b] }), { stage: 'production', tasks: ['b'] })
    }
    expect(make()).toEqual(make())
  },
)
