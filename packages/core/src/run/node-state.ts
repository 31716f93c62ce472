import type { Catalog } from '../config/catalog.ts'
import type { NodeStatus } from '../event/event.ts'
import type { PlanNode } from '../plan/plan.ts'
import type { ProblemRecord } from '../problem/problem.ts'
import type { AnyTask, ErasedSpec } from '../task/task.ts'

/** What became of one node. */
export interface NodeState {
  /** Its number in the run's nodes, or among the onFailure nodes. */
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

export function hasBody({ node, spec }: NodeState): boolean {
  return !node.milestone && spec.run !== undefined
}

export function isMet(state: NodeState | undefined): boolean {
  return state?.status === 'done' || state?.status === 'skipped' || state?.status === 'warned'
}
