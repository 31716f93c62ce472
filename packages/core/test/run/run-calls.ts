import type { AnyTask, RunEvent } from '@deployfile/core'
import { catalogOf } from '../plan/catalog-of.ts'
import { runTasks } from './run-plan.ts'

/** Runs `top` in a config that has the others, too. */
export function runWith(top: AnyTask, others: readonly AnyTask[], more: Parameters<typeof runTasks>[1] = {}) {
  return runTasks([top], { catalog: catalogOf({ tasks: [...others, top] }), ...more })
}

/** Nodes that ended in a phase, each with how. */
export const ended = (events: readonly RunEvent[], phase = 'run'): string[] =>
  events.flatMap((event) =>
    event.type === 'node.ended' && event.phase === phase ? [`${event.node} ${event.status}`] : [],
  )

/** What a node ended with. */
export const problem = (events: readonly RunEvent[], node: string) =>
  events.flatMap((event) => (event.type === 'node.ended' && event.node === node ? [event.problem] : []))[0]
