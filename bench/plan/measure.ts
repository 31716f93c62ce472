import { loadCatalog, resolvePlan, type Plan } from '@deployfile/core'
import { setImmediate } from 'node:timers/promises'
import type { Declared } from './declared.ts'

export const STEPS = ['declare', 'load', 'plan'] as const

/** Milliseconds of each step: of CPU, which the machine's other work changes least, and as a clock on the wall has it. */
export type Times = Readonly<Record<(typeof STEPS)[number], Taken>>

export interface Taken {
  readonly cpu: number
  readonly wall: number
}

/** Declares, loads and plans once. */
export function measure(declare: () => Declared): { readonly times: Times; readonly plan: Plan } {
  const [declared, { config, last, nodes }] = timed(declare)
  const [load, catalog] = timed(() => loadCatalog(config))
  const [planned, plan] = timed(() => resolvePlan(catalog, { stage: 'here', tasks: [last] }))
  const tasks = plan.nodes.filter(({ kind }) => kind === 'task').length
  if (tasks !== nodes) throw new Error(`planned ${tasks} of ${nodes} nodes`)
  return { times: { declare: declared, load, plan: planned }, plan }
}

function timed<T>(step: () => T): readonly [Taken, T] {
  const start = performance.now()
  const before = process.cpuUsage()
  const made = step()
  const { user, system } = process.cpuUsage(before)
  return [{ cpu: (user + system) / 1000, wall: performance.now() - start }, made]
}

/** Bytes of the heap: a task as it is declared and indexed, a node and its edges in the plan. Needs `--expose-gc`. */
export async function weigh(
  declare: () => Declared,
): Promise<{ readonly catalog: number; readonly plan: number }> {
  const gc = globalThis.gc
  if (!gc) throw new Error('start node with --expose-gc')
  const heap = (): number => {
    gc()
    gc()
    return process.memoryUsage().heapUsed
  }
  // What is made once and kept (compiled code, caches) is no part of it.
  measure(declare)
  await setImmediate()
  const before = heap()
  const { config, last, nodes } = declare()
  const catalog = loadCatalog(config)
  const loaded = heap()
  const plan = resolvePlan(catalog, { stage: 'here', tasks: [last] })
  const planned = heap()
  // Both are looked at again here, so that neither can be collected before.
  return {
    catalog: (loaded - before) / Math.max(catalog.tasks.size, 1),
    plan: (planned - loaded) / Math.max(plan.nodes.length, nodes),
  }
}
