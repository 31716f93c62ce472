import type { NodeStatus, Phase, RunStatus } from '../event/event.ts'
import type { ProblemRecord } from '../problem/problem.ts'

/** Something that went wrong in one phase of one node. The first of the run stands first. */
export interface Failure {
  readonly node: string
  readonly phase: Phase
  readonly problem: ProblemRecord
}

export interface NodeOutcome {
  readonly status: NodeStatus
  readonly result?: unknown
  /** Whether its undo ended well; false also when it had to be left out because of something that may still be running. */
  readonly undone?: boolean
  /** It did not stop when it was told to, and may still be running. */
  readonly abandoned?: true
}

export interface RunOutcome {
  readonly status: RunStatus
  /** Every failure of every host, those of undo and finally after those of bodies. */
  readonly failures: readonly Failure[]
  /** By node id. */
  readonly nodes: ReadonlyMap<string, NodeOutcome>
}
