import type { Host } from '../host/host.ts'
import type { Effect } from '../task/task.ts'
import type { PlanSource } from './source.ts'

/**
 * 'task' has a body or is a milestone; 'start' and 'end' stand around a task that has hooks; 'join' gathers a task's hosts so that
 * a barrier costs hosts + dependents and not hosts × dependents edges.
 */
export type NodeKind = 'task' | 'start' | 'end' | 'join'

/** How a dependent gets the value of a need. */
export type Binding =
  | { readonly kind: 'one'; readonly node: string }
  /** Every host's: the nodes of {@link Plan.perHost} under this key. */
  | { readonly kind: 'each'; readonly of: string }
  /** An optional need that is not planned, or a need that is skipped while planning. */
  | { readonly kind: 'none' }

/** The body of a task on one of its hosts. */
export interface HostNode {
  readonly host: string
  readonly node: string
}

/** How many hosts of a rolling task may fail; `group` is its `name{input}`. */
export interface Tolerance {
  readonly group: string
  readonly max: number
}

export interface PlanNode {
  /** `name{input}@stage/host`; `{…}` only for bound input, `@…` only where the task has `on`. */
  readonly id: string
  readonly kind: NodeKind
  readonly task: string
  readonly stage: string
  readonly host?: string
  /** Checked input, with defaults. */
  readonly input?: unknown
  readonly effect: Effect
  /** Set when `when` was not true or no host was left: it will end as skipped. */
  readonly skip?: string
  readonly needs: Readonly<Record<string, Binding>>
  /** All of them are held while the body runs (and its undo, and its finally); taken at once. Sorted. */
  readonly locks?: readonly string[]
  /** Set on what may fail on some hosts of a rolling task: up to `max` hosts of the group may, which end warned; one more fails the run. */
  readonly tolerance?: Tolerance
  /** Milliseconds that a join between two batches waits once its edges are met. */
  readonly wait?: number
  /** True for a task without a body. */
  readonly milestone: boolean
}

export type EdgeReason =
  | { readonly type: 'need'; readonly key: string }
  | { readonly type: 'before' | 'after'; readonly hook: string; readonly of: string }
  /** Between two batches of a rolling task. */
  | { readonly type: 'rolling'; readonly of: string }
  /** Between the parts of one task, and into and out of joins. */
  | { readonly type: 'structure' }
  | { readonly type: 'command line' }

export interface PlanEdge {
  readonly from: string
  readonly to: string
  /** 'success': the other end must have succeeded. 'settled': it must be over. */
  readonly kind: 'success' | 'settled'
  readonly reason: EdgeReason
}

/** What of a host decides where a run connects, and what it takes it for. */
export type PlanHost = Pick<Host, 'address' | 'user' | 'port' | 'transport' | 'root' | 'roles'>

/** Plain data: what will run where, in which order and why. Made without any connection. */
export interface Plan {
  readonly stage: string
  /** What was asked for; {@link requestOf} asks for it again. */
  readonly from: PlanSource
  /** The tasks that were asked for, in order. */
  readonly requested: readonly string[]
  /** In an order in which they could run one by one. */
  readonly nodes: readonly PlanNode[]
  readonly edges: readonly PlanEdge[]
  /**
   * The bodies of each task that is read on all of its hosts, in their order, by `name{input}`. Once for all who read it: a thousand
   * hosts may each need what a thousand others did.
   */
  readonly perHost?: Readonly<Record<string, readonly HostNode[]>>
  /** Every host that a node runs on, by `stage/host`. */
  readonly hosts: Readonly<Record<string, PlanHost>>
  /** What a person should know, such as a hook that was dropped because it has no host here. */
  readonly notes: readonly string[]
  /** What runs only after a failure or an interrupt, when everything is undone; in an order as `nodes`. */
  readonly onFailure?:
    { readonly nodes: readonly PlanNode[]; readonly edges: readonly PlanEdge[] } | undefined
}
