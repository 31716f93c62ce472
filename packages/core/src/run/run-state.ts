import { setMaxListeners } from 'node:events'
import type { Catalog } from '../config/catalog.ts'
import type { Failure, Phase } from '../event/failure.ts'
import type { NodeStatus } from '../event/event.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { ErasedSpec, AnyTask } from '../task/task.ts'
import { systemClock, type Clock } from '../port/clock.ts'
import type { Executor, JobRun, NeedValue } from '../port/executor.ts'
import { toRecord, type ProblemRecord } from '../problem/problem.ts'
import type { ExecuteOptions } from './execute-options.ts'
import { toGraph, type Graph } from './graph.ts'
import { localExecutor } from './local-executor.ts'
import { noCalls, type Calls } from './calls.ts'

/** What became of one node. */
export interface NodeState {
  /** Its number in {@link RunState.nodes}, or among the onFailure nodes. */
  readonly index: number
  readonly node: PlanNode
  readonly spec: ErasedSpec
  status: NodeStatus | 'waiting' | 'running'
  result: unknown
  /** True from the moment its body was entered: it may have to be undone. */
  started: boolean
  undone: boolean | undefined
  /** Its `finally` has had its turn. */
  finished: boolean
  /** It was told to stop, did not, and may still be running. */
  abandoned: boolean
  /** It runs because of a failure: no stop concerns it. */
  readonly afterStop: boolean
  /** The node that called it; undefined for one of the plan. */
  readonly caller: NodeState | undefined
  /** Of a called node: what went wrong, for its caller. */
  problem: ProblemRecord | undefined
}

/** Nodes with what they wait for. */
export interface NodeSet {
  readonly states: readonly NodeState[]
  readonly graph: Graph
}

/** A run while it goes on. */
export interface RunState {
  readonly plan: Plan
  readonly options: ExecuteOptions
  readonly executor: Executor
  readonly main: NodeSet
  /** The plan's onFailure nodes. */
  readonly onFailure: NodeSet | undefined
  /** Called nodes too, as soon as they are. */
  readonly byId: Map<string, NodeState>
  readonly calls: Calls
  /** In a dry run, the nodes that were not entered because they or what they need has no preview; with the task that has none. */
  readonly unknown: Map<string, string>
  readonly failures: Failure[]
  /** What had gone wrong before this process took the run over to undo it. */
  before: readonly Failure[]
  /** Of the jobs of this run, all of them. */
  readonly jobRun: JobRun
  readonly startedAt: number
  /** Bodies at once. */
  readonly inAll: number
  /** Locks of what may still be running, with the node that has them. */
  readonly lostLocks: Map<string, string>
  /** What needs of every host's result have been given, by the key of {@link Plan.perHost}. */
  readonly gathered: Map<string, NeedValue>
  readonly clock: Clock
  /** Milliseconds that a body has to stop. */
  readonly grace: number
  /** Set once nothing new may start, with the reason that is given for what did not. */
  stopping: string | undefined
  /** All nodes of the plan have settled: what follows is undo, onFailure tasks and finally. */
  worked: boolean
  /** What was done stays, although the run did not end well. */
  left: boolean
  /** Called when `stopping` is set. */
  readonly onStop: Set<() => void>
  /** Cancels every body that runs. */
  readonly work: AbortController
  seq: number
  /** Events can no longer be recorded. */
  journalLost: boolean
}

export function startState(plan: Plan, options: ExecuteOptions): RunState {
  const { catalog, shells, clock = systemClock, grace = catalog.grace } = options
  const byId = new Map<string, NodeState>()
  const main = nodeSet(catalog, plan, byId, false)
  const onFailure = plan.onFailure && nodeSet(catalog, plan.onFailure, byId, true)
  const work = new AbortController()
  // Every command and every body that runs listens; a hundred of them are no leak.
  setMaxListeners(0, work.signal)
  return {
    plan,
    options,
    jobRun: {
      ...options.run,
      startedAt: options.run.startedAt.getTime(),
      ...(options.dryRun === true && { dryRun: true }),
      ...(options.lendTerminal && { terminal: true }),
    },
    executor: options.executor ?? localExecutor(catalog, shells),
    main,
    onFailure,
    byId,
    calls: noCalls(),
    unknown: new Map(),
    failures: [],
    before: [],
    left: false,
    startedAt: clock.now(),
    inAll: options.concurrency ?? 100,
    lostLocks: new Map(),
    gathered: new Map(),
    clock,
    grace,
    stopping: undefined,
    worked: false,
    onStop: new Set(),
    work,
    seq: options.resumed?.seq ?? 0,
    journalLost: false,
  }
}

function nodeSet(
  catalog: Catalog,
  { nodes, edges }: Pick<Plan, 'nodes' | 'edges'>,
  byId: Map<string, NodeState>,
  afterStop: boolean,
): NodeSet {
  const states = nodes.map((node, index) => newState(catalog, node, { index, afterStop, caller: undefined }))
  for (const state of states) byId.set(state.node.id, state)
  return { states, graph: toGraph(states.length, edges, (id) => byId.get(id)?.index) }
}

export function newState(
  catalog: Catalog,
  node: PlanNode,
  { index, afterStop, caller }: Pick<NodeState, 'index' | 'afterStop' | 'caller'>,
): NodeState {
  return {
    index,
    node,
    spec: taskOf(catalog, node)['~task'].spec,
    status: 'waiting',
    result: undefined,
    started: false,
    undone: undefined,
    finished: false,
    abandoned: false,
    afterStop,
    caller,
    problem: undefined,
  }
}

// Bodies are looked up by name: a plan is data and may have been made by another process.
function taskOf(catalog: Catalog, node: PlanNode): AnyTask {
  const task = catalog.tasks.get(node.task)
  if (!task) throw new Error(`the plan has the task '${node.task}', which the config does not have`)
  return task
}

export function addFailure(run: RunState, node: string, phase: Phase, thrown: unknown): Failure {
  const failure = { node, phase, problem: toRecord(thrown) }
  const { called } = failure.problem
  // What failed is what was called: that is the one failure to show.
  if (called) run.failures.push(...called.map((one) => ({ ...one, phase })))
  else run.failures.push(failure)
  return failure
}

export function hasBody({ node, spec }: NodeState): boolean {
  return !node.milestone && spec.run !== undefined
}

/** Why a node whose edges are all settled cannot start: a need that did not end well, by name. */
export function blockedBy({ states, graph }: NodeSet, index: number): string | undefined {
  const { starts, nodes, success } = graph.incoming
  for (let at = starts[index] ?? 0; at < (starts[index + 1] ?? 0); at++) {
    const before = states[nodes[at] ?? 0]
    if (success[at] === 1 && !isMet(before)) return `'${before?.node.id ?? ''}' did not end well`
  }
  return undefined
}

export function isMet(state: NodeState | undefined): boolean {
  return state?.status === 'done' || state?.status === 'skipped' || state?.status === 'warned'
}
