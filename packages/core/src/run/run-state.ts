import { setMaxListeners } from 'node:events'
import type { Catalog } from '../config/catalog.ts'
import type { Failure, Phase } from '../event/failure.ts'
import type { Plan } from '../plan/plan.ts'
import { systemClock, type Clock } from '../port/clock.ts'
import type { Executor, JobRun, NeedValue } from '../port/executor.ts'
import { toRecord } from '../problem/problem.ts'
import { noCalls, type Calls } from './calls.ts'
import type { ExecuteOptions } from './execute-options.ts'
import { toGraph, type Graph } from './graph.ts'
import { localExecutor } from './local-executor.ts'
import { isMet, newState, type NodeState } from './node-state.ts'

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

export function addFailure(run: RunState, node: string, phase: Phase, thrown: unknown): Failure {
  const failure = { node, phase, problem: toRecord(thrown) }
  const { called } = failure.problem
  // What failed is what was called: that is the one failure to show.
  if (called) run.failures.push(...called.map((one) => ({ ...one, phase })))
  else run.failures.push(failure)
  return failure
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
