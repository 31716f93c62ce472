import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  defineConfig,
  execute,
  fileJournal,
  loadCatalog,
  task,
  type Journal,
  type Plan,
  type PlanEdge,
  type PlanNode,
  type ShellProvider,
} from '@deployfile/core'
import { PGraph } from 'p-graph'

/** What each node of a graph waits for. */
export type Needs = readonly (readonly number[])[]

/** Runs a no-op for every node and returns how many ran; making the graph in its own form is part of the time. */
export type Scheduler = (needs: Needs) => Promise<number>

const noShells: ShellProvider = {
  remote: () => {
    throw new Error('a no-op opens no shell')
  },
  local: () => {
    throw new Error('a no-op opens no shell')
  },
  close: () => Promise.resolve(),
}

/** A plan as the resolver makes it, of one task many times: what planning costs is bench/plan. */
function planOf(needs: Needs): Plan {
  const reason = { type: 'need', key: 'n' } as const
  const nodes = needs.map((_, node): PlanNode => ({
    id: `t${node}`,
    kind: 'task',
    task: 't',
    stage: 'here',
    effect: 'write',
    needs: {},
    milestone: false,
  }))
  const edges = needs.flatMap((before, node) =>
    before.map((need): PlanEdge => ({ from: `t${need}`, to: `t${node}`, kind: 'success', reason })),
  )
  return { stage: 'here', requested: ['t'], nodes, edges, notes: [] } as unknown as Plan
}

async function run(needs: Needs, body: (count: () => void) => unknown, journal?: Journal): Promise<number> {
  let ran = 0
  let events = 0
  const count = (): void => {
    ran++
  }
  const only = task('t', { run: () => body(count) })
  const catalog = loadCatalog(defineConfig({ stages: { here: { hosts: {} } }, tasks: [only] }))
  const outcome = await execute(planOf(needs), {
    catalog,
    shells: noShells,
    run: { id: 'bench', startedAt: new Date(), user: 'bench', root: '/' },
    ask: () => Promise.resolve(),
    signal: new AbortController().signal,
    onEvent: () => {
      events++
    },
    ...(journal && { journal }),
  })
  if (outcome.status !== 'done' || events < 2 * needs.length) throw new Error('the graph did not run')
  return ran
}

/** Ours: a plan run with every event sent to a listener, bodies that return at once. */
const deployfile: Scheduler = (needs) =>
  run(needs, (count) => {
    count()
  })

/** As {@link deployfile}, each body a promise. */
const deployfileAsync: Scheduler = (needs) =>
  run(needs, (count) => {
    count()
    return Promise.resolve()
  })

/** As {@link deployfile}, every event in a journal on disk. */
const deployfileJournal: Scheduler = async (needs) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-graph-'))
  const journal = fileJournal(folder)
  try {
    return await run(
      needs,
      (count) => {
        count()
      },
      journal,
    )
  } finally {
    await journal.close()
    rmSync(folder, { recursive: true })
  }
}

/** The peer: p-graph 2, a promise graph with concurrency and nothing else. */
const pGraph: Scheduler = async (needs) => {
  let ran = 0
  const noop = (): Promise<void> => {
    ran++
    return Promise.resolve()
  }
  const nodes = new Map(needs.map((_, node) => [String(node), { run: noop }] as const))
  const edges = needs.flatMap((before, node) =>
    before.map((need): [string, string] => [String(need), String(node)]),
  )
  await new PGraph(nodes, edges).run({ concurrency: 100 })
  return ran
}

/** The floor: counters and a list, one promise a node; no ids, results, events or errors. */
const floor: Scheduler = async (needs) => {
  let ran = 0
  const noop = (): Promise<void> => {
    ran++
    return Promise.resolve()
  }
  const waiting = needs.map(({ length }) => length)
  const next: number[][] = needs.map(() => [])
  for (const [node, before] of needs.entries()) for (const need of before) next[need]?.push(node)
  const ready = waiting.flatMap((count, node) => (count === 0 ? [node] : []))
  for (const node of ready) {
    await noop()
    for (const after of next[node] ?? []) {
      const left = (waiting[after] ?? 0) - 1
      waiting[after] = left
      if (left === 0) ready.push(after)
    }
  }
  return ran
}

export const schedulers: Readonly<Record<string, Scheduler>> = {
  deployfile,
  'deployfile, bodies that are promises': deployfileAsync,
  'deployfile, journal on': deployfileJournal,
  'p-graph': pGraph,
  floor,
}
