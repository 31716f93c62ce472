import { Problem, type Effect, type Plan, type PlanNode } from '@deployfile/core'
import { catalogOf, type Subject, type Surroundings } from './subject.ts'
import { planFor, type PlanRequest } from './test-run.ts'

/** One task on one place. */
export interface PlannedNode {
  /** `name{input}@stage/host`, as in `--plan`. */
  readonly id: string
  readonly task: string
  readonly host?: string
  readonly effect: Effect
  /** Why it will not run. */
  readonly skip?: string
  /** Ids of what it waits for directly. */
  readonly after: readonly string[]
}

/** A plan as a test wants to see it: tasks only, nothing of how the plan holds them together. */
export interface PlannedTasks {
  readonly stage: string
  /** Ids of all that will run, in an order in which they could run one by one. */
  readonly order: readonly string[]
  /** Those that are skipped, too. */
  readonly nodes: readonly PlannedNode[]
  readonly notes: readonly string[]
  /**
   * Whether all of `first` is over before any of `second` starts, whatever the hosts do; both are node ids or task names.
   * @throws Problem `NODE_UNKNOWN` (usage) for what is not in the plan
   */
  readonly isBefore: (first: string, second: string) => boolean
}

/**
 * The plan of a command, without running anything.
 * @throws Problem (usage) for whatever a command line would be refused for
 */
export function planOf(subject: Subject, request: PlanRequest & Surroundings = {}): PlannedTasks {
  const plan = planFor(subject, catalogOf(subject, request), request)
  const waitsFor = incoming(plan)
  const tasks = plan.nodes.filter((node) => node.kind === 'task')
  const ids = new Set(tasks.map(({ id }) => id))
  const nodes = tasks.map(({ id, task, host, effect, skip }): PlannedNode => {
    const after = nearest(id, waitsFor, ids)
    return {
      id,
      task,
      ...(host !== undefined && { host }),
      effect,
      ...(skip !== undefined && { skip }),
      after,
    }
  })
  return {
    stage: plan.stage,
    order: nodes.flatMap(({ id, skip }) => (skip === undefined ? [id] : [])),
    nodes,
    notes: plan.notes,
    isBefore: (first, second) => {
      const firsts = named(tasks, first)
      return named(tasks, second).every((node) => {
        const before = ancestors(node, waitsFor)
        return firsts.every((one) => before.has(one))
      })
    },
  }
}

type Incoming = ReadonlyMap<string, readonly string[]>

function incoming({ edges }: Plan): Incoming {
  const into = new Map<string, string[]>()
  for (const { from, to } of edges) {
    const known = into.get(to)
    if (known) known.push(from)
    else into.set(to, [from])
  }
  return into
}

/** The first tasks on every way back: joins, starts and ends are seen through. */
function nearest(id: string, waitsFor: Incoming, tasks: ReadonlySet<string>): readonly string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  const stack = [...(waitsFor.get(id) ?? [])]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    if (tasks.has(at)) found.add(at)
    else stack.push(...(waitsFor.get(at) ?? []))
  }
  return [...found].sort()
}

function ancestors(id: string, waitsFor: Incoming): ReadonlySet<string> {
  const found = new Set<string>()
  const stack = [...(waitsFor.get(id) ?? [])]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (found.has(at)) continue
    found.add(at)
    stack.push(...(waitsFor.get(at) ?? []))
  }
  return found
}

function named(tasks: readonly PlanNode[], name: string): readonly string[] {
  const found = tasks.flatMap(({ id, task }) => (id === name || task === name ? [id] : []))
  if (found.length > 0) return found
  throw new Problem('usage', 'NODE_UNKNOWN', `the plan has no '${name}'`, {
    hint: `It has: ${tasks.map(({ id }) => id).join(', ')}.`,
  })
}
