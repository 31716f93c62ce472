import type { Catalog } from '../config/catalog.ts'
import type { NodeStatus, Phase, RunEvent, RunEventBody } from '../event/event.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { ErasedSpec, AnyTask } from '../task/task.ts'
import { systemClock, type Clock } from '../port/clock.ts'
import { toRecord } from '../problem/problem.ts'
import { milliseconds, type Duration } from '../task/duration.ts'
import type { Bounds } from './attempt.ts'
import type { ExecuteOptions } from './execute-options.ts'
import type { Failure } from './outcome.ts'

/** What became of one node. */
export interface NodeState {
  readonly node: PlanNode
  readonly spec: ErasedSpec
  status: NodeStatus | 'waiting' | 'running'
  result: unknown
  /** True from the moment its body was entered: it may have to be undone. */
  started: boolean
  undone: boolean | undefined
  /** It was told to stop, did not, and may still be running. */
  abandoned: boolean
}

/** A run while it goes on. */
export interface RunState {
  readonly plan: Plan
  readonly options: ExecuteOptions
  readonly nodes: readonly NodeState[]
  readonly byId: ReadonlyMap<string, NodeState>
  readonly failures: Failure[]
  readonly startedAt: number
  readonly clock: Clock
  /** Milliseconds that a body has to stop. */
  readonly grace: number
  /** Set once nothing new may start, with the reason that is given for what did not. */
  stopping: string | undefined
  /** Called when `stopping` is set. */
  readonly onStop: Set<() => void>
  seq: number
}

export function startState(plan: Plan, options: ExecuteOptions): RunState {
  const nodes = plan.nodes.map((node): NodeState => {
    const { spec } = taskOf(options.catalog, node)['~task']
    return {
      node,
      spec,
      status: 'waiting',
      result: undefined,
      started: false,
      undone: undefined,
      abandoned: false,
    }
  })
  const byId = new Map(nodes.map((state) => [state.node.id, state]))
  const { clock = systemClock, grace = options.catalog.grace } = options
  return {
    plan,
    options,
    nodes,
    byId,
    failures: [],
    startedAt: clock.now(),
    clock,
    grace,
    stopping: undefined,
    onStop: new Set(),
    seq: 0,
  }
}

// Bodies are looked up by name: a plan is data and may have been made by another process.
function taskOf(catalog: Catalog, node: PlanNode): AnyTask {
  const task = catalog.tasks.get(node.task)
  if (!task) throw new Error(`the plan has the task '${node.task}', which the config does not have`)
  return task
}

/** Puts an event into the stream: first to the journal, so that whatever it announces has not happened unrecorded. */
export function emit(run: RunState, body: RunEventBody): void {
  run.seq++
  const event: RunEvent = { ...body, seq: run.seq, at: run.clock.now() }
  run.options.journal?.append(event)
  run.options.onEvent?.(event)
}

/** No new node starts from here on; the first reason stays. */
export function stop(run: RunState, reason: string): void {
  if (run.stopping !== undefined) return
  run.stopping = reason
  emit(run, { type: 'run.stopping', reason })
  for (const told of run.onStop) told()
}

export function addFailure(run: RunState, state: NodeState, phase: Phase, thrown: unknown): Failure {
  const failure = { node: state.node.id, phase, problem: toRecord(thrown) }
  run.failures.push(failure)
  return failure
}

/** How long a body of this node may take. */
export function boundsOf(
  run: RunState,
  { node }: NodeState,
  signal: AbortSignal,
  timeout: Duration | undefined,
): Bounds {
  const { clock, grace } = run
  return { node: node.id, host: node.host, timeout: milliseconds(timeout), grace, signal, clock }
}
