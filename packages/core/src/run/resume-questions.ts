import type { Catalog } from '../config/catalog.ts'
import type { RecordedNode, RecordedRun } from '../journal/recorded-run.ts'
import type { PlanNode } from '../plan/plan.ts'
import type { Question } from '../port/question.ts'
import { Problem } from '../problem/problem.ts'
import { endedWell, keptOf } from './resume.ts'

/**
 * What must be answered before a recorded run goes on, each by the name of the task that it is about: what nobody knows the end of,
 * and may only be run again when a person has looked (`onResume: 'ask'`).
 * @throws Problem `RESUME_REFUSED` (check) for a task that says `onResume: 'fail'`
 */
export function resumeQuestions(recorded: RecordedRun, catalog: Catalog): readonly Question[] {
  const questions: Question[] = []
  for (const [task, nodes] of undecided(recorded)) {
    const { onResume = 'rerun' } = catalog.tasks.get(task)?.['~task'].spec ?? {}
    if (onResume === 'rerun') continue
    const what = `'${task}'${places(nodes)} ${whatIsUnknown(recorded, nodes)}`
    if (onResume === 'fail') {
      throw new Problem('check', 'RESUME_REFUSED', `${what}. It must not be run again (onResume: 'fail')`, {
        hint: `Find out what it did. To take the run back: deployfile runs undo ${recorded.run.id}`,
      })
    }
    questions.push({
      message: `${what}.\nFind out what it did before you go on: it will be run again.`,
      answer: task,
    })
  }
  return questions
}

/**
 * What must be answered before a recorded run is taken back: what was told to stop and did not may still be running, and would lose
 * the ground that it stands on.
 */
export function undoQuestions(recorded: RecordedRun): readonly Question[] {
  const running = nodesOf(recorded).filter(({ id }) => recorded.nodes.get(id)?.abandoned === true)
  return [...byTask(running)].map(([task, of]) => ({
    message: `'${task}'${places(of)} was told to stop and did not: it may still be running.\nLook for it before you go on: it and what it stands on will be undone.`,
    answer: task,
  }))
}

/** Those of the plan, and what they called, each once. */
function nodesOf({ plan, calls }: RecordedRun): readonly PlanNode[] {
  const called = new Map(calls.flatMap((call) => call.plan.nodes).map((node) => [node.id, node]))
  return [...plan.nodes, ...called.values()]
}

/** By task, the nodes that will be entered again although they are not known to have failed. */
function undecided(recorded: RecordedRun): ReadonlyMap<string, readonly PlanNode[]> {
  const kept = keptOf(recorded)
  const nodes = nodesOf(recorded).filter((node) => {
    const known = recorded.nodes.get(node.id)
    if (node.milestone || known?.entered !== true || kept.has(node.id)) return false
    // What was called and ended well stays done, or is called again by a body that is asked about itself.
    if ('parent' in node && endedWell(known)) return false
    return known.status === undefined || known.abandoned || endedWell(known)
  })
  return byTask(nodes)
}

function byTask(nodes: readonly PlanNode[]): ReadonlyMap<string, readonly PlanNode[]> {
  const found = new Map<string, PlanNode[]>()
  for (const node of nodes) found.set(node.task, [...(found.get(node.task) ?? []), node])
  return found
}

function places(nodes: readonly PlanNode[]): string {
  const hosts = nodes.flatMap(({ host }) => host ?? [])
  return hosts.length === 0 ? '' : ` on ${hosts.join(', ')}`
}

function whatIsUnknown({ nodes: recorded }: RecordedRun, nodes: readonly PlanNode[]): string {
  const known = nodes.map(({ id }) => recorded.get(id))
  const is = (test: (node: RecordedNode | undefined) => boolean): boolean => known.some(test)
  if (is((node) => node?.abandoned === true)) return 'was told to stop and did not: it may still be running'
  if (is((node) => node?.status === undefined))
    return 'was under way when the run was killed, and nobody knows how far it came'
  return 'was done, but what it stands on has to be done again'
}
