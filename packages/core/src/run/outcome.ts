import type { NodeStatus, RunStatus } from '../event/event.ts'
import type { Failure } from '../event/failure.ts'
import type { CalledNode } from '../plan/call.ts'

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
  /** Every failure of every host, those of undo, onFailure tasks and finally after those of bodies. */
  readonly failures: readonly Failure[]
  /** By node id; onFailure tasks only when they had their turn. */
  readonly nodes: ReadonlyMap<string, NodeOutcome>
  /** It did not end well, and what it did was not undone because that was off or not asked for. */
  readonly left?: true
  /** The nodes that bodies called, which are in `nodes`, too. Absent where none did. */
  readonly called?: readonly CalledNode[]
}
