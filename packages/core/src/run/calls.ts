import type { HostNode } from '../plan/plan.ts'
import type { NodeState } from './node-state.ts'

/** All that a run has called so far. */
export interface Calls {
  /** Called nodes that were entered, in the order of their first starts. */
  readonly started: Set<NodeState>
  /** By called node, what it was built on: ids of called and of planned nodes that had ended before it. */
  readonly ground: Map<NodeState, ReadonlySet<string>>
  /** By its id in a plan, the last called node that ended well there; what needs it gets its result. */
  readonly done: Map<string, NodeState>
  /** By its id in a plan, a called node under way; settled when it is over. */
  readonly running: Map<string, { readonly state: NodeState; readonly over: Promise<void> }>
  readonly perHost: Map<string, readonly HostNode[]>
  /** By the id of a called node that another call had run, that one's. */
  readonly reused: Map<string, string>
  /** By caller, what it waits for at the moment: a circle of these would never end. */
  readonly waits: Map<NodeState, Set<NodeState>>
  /** By caller, the locks that one of its calls holds, and the calls that wait for some. */
  readonly locks: Map<NodeState, { readonly held: Set<string>; readonly waiting: Set<() => void> }>
}

export function noCalls(): Calls {
  return {
    started: new Set(),
    ground: new Map(),
    done: new Map(),
    running: new Map(),
    reused: new Map(),
    perHost: new Map(),
    waits: new Map(),
    locks: new Map(),
  }
}
