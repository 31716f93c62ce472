import {
  defineConfig,
  execute,
  loadCatalog,
  resolvePlan,
  task,
  type AnyTask,
  type ShellProvider,
} from '@deployfile/core'
import { PGraph } from 'p-graph'
import type { Shape } from './shapes.ts'

/** Runs a no-op for every node of a shape and returns how many ran; building its own graph is part of the time. */
export type Scheduler = (shape: Shape) => Promise<number>

const noShells: ShellProvider = {
  remote: () => {
    throw new Error('a no-op opens no shell')
  },
  local: () => {
    throw new Error('a no-op opens no shell')
  },
  close: () => Promise.resolve(),
}

/** Ours, whole: tasks declared, checked, planned and run, with every event sent to a listener. */
export const deployfile: Scheduler = async (shape) => {
  const counter = { ran: 0 }
  const noop = (): void => {
    counter.ran++
  }
  let events = 0
  const tasks: AnyTask[] = []
  for (const [index, needs] of shape.needs.entries()) {
    const needed = Object.fromEntries(needs.map((node) => [`n${node}`, tasks[node] as AnyTask]))
    tasks.push(task(`t${index}`, { needs: needed, run: noop }))
  }
  const last = task('last', {
    needs: Object.fromEntries(tasks.map((one, index) => [`n${index}`, one])),
    run: () => undefined,
  })
  const catalog = loadCatalog(defineConfig({ stages: { here: { hosts: {} } }, tasks: [last] }))
  const plan = resolvePlan(catalog, { stage: 'here', tasks: ['last'] })
  const outcome = await execute(plan, {
    catalog,
    shells: noShells,
    run: { id: 'bench', startedAt: new Date(), user: 'bench', root: '/' },
    ask: () => Promise.resolve(),
    signal: new AbortController().signal,
    onEvent: () => {
      events++
    },
  })
  if (outcome.status !== 'done' || events < 2 * shape.needs.length)
    throw new Error('deployfile did not run the graph')
  return counter.ran
}

/** The peer: p-graph 2, a promise graph with concurrency and nothing else. */
export const pGraph: Scheduler = async (shape) => {
  const counter = { ran: 0 }
  const noopAsync = (): Promise<void> => {
    counter.ran++
    return Promise.resolve()
  }
  const nodes = new Map(shape.needs.map((_, node) => [String(node), { run: noopAsync }] as const))
  const edges = shape.needs.flatMap((needs, node) =>
    needs.map((need): [string, string] => [String(need), String(node)]),
  )
  await new PGraph(nodes, edges).run({ concurrency: 100 })
  return counter.ran
}

/** The floor: counters and a list, one promise a node; no ids, results, events or errors. */
export const floor: Scheduler = async (shape) => {
  const counter = { ran: 0 }
  const noopAsync = (): Promise<void> => {
    counter.ran++
    return Promise.resolve()
  }
  const waiting = shape.needs.map((needs) => needs.length)
  const next: number[][] = shape.needs.map(() => [])
  for (const [node, needs] of shape.needs.entries()) for (const need of needs) next[need]?.push(node)
  const ready = waiting.flatMap((count, node) => (count === 0 ? [node] : []))
  for (const node of ready) {
    await noopAsync()
    for (const after of next[node] ?? []) {
      const left = (waiting[after] ?? 0) - 1
      waiting[after] = left
      if (left === 0) ready.push(after)
    }
  }
  return counter.ran
}
