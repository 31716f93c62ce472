import { setMaxListeners } from 'node:events'
import type { Catalog } from '../config/catalog.ts'
import type { Failure } from '../event/failure.ts'
import type { NodeStatus, Phase, RunEvent, RunEventBody } from '../event/event.ts'
import type { Plan, PlanEdge, PlanNode } from '../plan/plan.ts'
import type { ErasedSpec, AnyTask } from '../task/task.ts'
import { systemClock, type Clock } from '../port/clock.ts'
import { toRecord } from '../problem/problem.ts'
import { milliseconds, type Duration } from '../task/duration.ts'
import type { Bounds } from './attempt.ts'
import type { ExecuteOptions } from './execute-options.ts'

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
  /** It runs because of a failure: no stop concerns it. */
  readonly afterStop: boolean
}

/** A run while it goes on. */
export interface RunState {
  readonly plan: Plan
  readonly options: ExecuteOptions
  readonly nodes: readonly NodeState[]
  /** The plan's onFailure nodes. */
  readonly onFailure: readonly NodeState[]
  readonly byId: ReadonlyMap<string, NodeState>
  readonly failures: Failure[]
  readonly startedAt: number
  /** Bodies at once. */
  readonly inAll: number
  /** Locks of what may still be running, with the node that has them. */
  readonly lostLocks: Map<string, string>
  readonly clock: Clock
  /** Milliseconds that a body has to stop. */
  readonly grace: number
  /** Set once nothing new may start, with the reason that is given for what did not. */
  stopping: string | undefined
  /** Called when `stopping` is set. */
  readonly onStop: Set<() => void>
  /** Cancels every body that runs. */
  readonly work: AbortController
  seq: number
}

export function startState(plan: Plan, options: ExecuteOptions): RunState {
  const stateOf = (node: PlanNode, afterStop: boolean): NodeState => {
    const { spec } = taskOf(options.catalog, node)['~task']
    return {
      node,
      spec,
      status: 'waiting',
      result: undefined,
      started: false,
      undone: undefined,
      abandoned: false,
      afterStop,
    }
  }
  const nodes = plan.nodes.map((node) => stateOf(node, false))
  const onFailure = (plan.onFailure?.nodes ?? []).map((node) => stateOf(node, true))
  const byId = new Map([...nodes, ...onFailure].map((state) => [state.node.id, state]))
  const work = new AbortController()
  // Every command and every body that runs listens; a hundred of them are no leak.
  setMaxListeners(0, work.signal)
  const { clock = systemClock, grace = options.catalog.grace } = options
  return {
    plan,
    options,
    nodes,
    onFailure,
    byId,
    failures: [],
    startedAt: clock.now(),
    inAll: options.concurrency ?? 100,
    lostLocks: new Map(),
    clock,
    grace,
    stopping: undefined,
    onStop: new Set(),
    work,
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
  // Completed, not copied: every body is made for this call, and there are several to each node.
  const event: RunEvent = Object.assign(body, { seq: run.seq, at: run.clock.now() })
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

/** What a failure of a body does to the rest of the run. */
export function stopAfterFailure(run: RunState, { node, afterStop }: NodeState): void {
  const { onFailure = 'no-new' } = run.options
  if (afterStop || onFailure === 'continue') return
  stop(run, `'${node.id}' failed`)
  if (onFailure === 'kill') run.work.abort(new Error(`'${node.id}' failed`))
}

// What hangs while taking back must not hang the run; of a task that says nothing of its own time, an hour is taken for hung.
const AFTER_STOP: Duration = '1h'

/** How long a body of this node may take: its timeout, and where nobody waits for more than the end of the run, an hour at most. */
export function boundsOf(
  run: RunState,
  { node, spec, afterStop }: NodeState,
  phase: Phase,
  signal: AbortSignal,
): Bounds {
  const { clock, grace } = run
  const timeout = spec.timeout ?? (phase !== 'run' || afterStop ? AFTER_STOP : undefined)
  return { node: node.id, host: node.host, timeout: milliseconds(timeout), grace, signal, clock }
}

export function edgesInto(edges: readonly PlanEdge[]): ReadonlyMap<string, readonly PlanEdge[]> {
  const into = new Map<string, PlanEdge[]>()
  for (const edge of edges) {
    const known = into.get(edge.to)
    if (known) known.push(edge)
    else into.set(edge.to, [edge])
  }
  return into
}

/** Why a node whose edges are all settled cannot start: a need that did not end well, by name. */
export function blockedBy(run: RunState, edges: readonly PlanEdge[] | undefined): string | undefined {
  const broken = edges?.find((edge) => edge.kind === 'success' && !isMet(run.byId.get(edge.from)))
  return broken && `'${broken.from}' did not end well`
}

export function isMet(state: NodeState | undefined): boolean {
  return state?.status === 'done' || state?.status === 'skipped' || state?.status === 'warned'
}
