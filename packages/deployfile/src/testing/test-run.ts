import {
  Problem,
  resolvePlan,
  type AnyTask,
  type Catalog,
  type Config,
  type Failure,
  type NodeOutcome,
  type Plan,
  type Question,
  type RunEvent,
  type RunStatus,
} from '@deployfile/core'
import { limitsOf, type Limits } from '../run/limits.ts'
import { readResults, type ReadResult } from '../run/result.ts'
import { withFakes, type Fake } from './fake.ts'
import { callsOf, recordedRun, type TestCall, type TestCommand, type World } from './recorded-run.ts'
import { catalogOf, type Subject, type Surroundings } from './subject.ts'

/** What is planned. */
export interface PlanRequest {
  /** Default: the config's `defaultStage`; for a list of tasks, its made-up one. */
  readonly stage?: string
  /** Names or task values. Default, for a list of tasks: all of them, in order. */
  readonly tasks?: readonly (string | AnyTask)[]
  /** As `key=value` on the command line. */
  readonly inputs?: Readonly<Record<string, string | number | boolean>>
}

export interface TestRunOptions extends PlanRequest, Surroundings, World, Limits {
  readonly stage?: string
  readonly fakes?: readonly Fake[]
}

export interface TestedRun {
  readonly status: RunStatus
  readonly failures: readonly Failure[]
  /** By node id. */
  readonly nodes: ReadonlyMap<string, NodeOutcome>
  readonly result: ReadResult
  /** Of all nodes, in the order of the calls. */
  readonly commands: readonly TestCommand[]
  /** `node: message`, in order. */
  readonly logs: readonly string[]
  readonly questions: readonly Question[]
  /** What bodies called, in order. */
  readonly calls: readonly TestCall[]
  readonly events: readonly RunEvent[]
  readonly plan: Plan
}

/**
 * Runs tasks as a run would, with fakes in the place of some and shells that only record: order, undo, finally, and what is done
 * when something fails are the real ones. The question of a protected stage is not asked.
 * @throws Problem (usage) for whatever a command line would be refused for, and for fakes that fit nothing
 */
export async function testRun(
  subject: Config | readonly AnyTask[],
  options: TestRunOptions = {},
): Promise<TestedRun> {
  const catalog = withFakes(catalogOf(subject, options), options.fakes ?? [])
  const plan = planFor(subject, catalog, options)
  const { outcome, events, commands, questions } = await recordedRun(
    catalog,
    plan,
    options,
    limitsOf(options),
  )
  const logs = events.flatMap((event) =>
    event.type === 'node.log' ? [`${event.node}: ${event.message}`] : [],
  )
  const result = readResults(plan, outcome, catalog)
  return { ...outcome, result, commands, logs, questions, calls: callsOf(events), events, plan }
}

export function planFor(subject: Subject, catalog: Catalog, request: PlanRequest): Plan {
  const { inputs = {} } = request
  const listed = Array.isArray(subject) ? (subject as readonly AnyTask[]) : undefined
  const tasks = request.tasks ?? listed ?? []
  const [made] = catalog.stages.keys()
  if (tasks.length === 0) {
    throw new Problem('usage', 'TASK_MISSING', 'no task was named', {
      hint: "Say what to run: tasks: ['deploy']",
    })
  }
  const texts = Object.fromEntries(Object.entries(inputs).map(([key, input]) => [key, String(input)]))
  return resolvePlan(catalog, { stage: request.stage ?? (listed && made), tasks, inputs: texts })
}
