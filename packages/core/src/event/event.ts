import type { CommandEvent } from '../port/shell.ts'
import type { ProblemRecord } from '../problem/problem.ts'

/** How a node ended. 'warned' failed under `onError: 'warn'`; 'cancelled' was stopped; 'blocked' never started because of another. */
export type NodeStatus = 'done' | 'skipped' | 'failed' | 'warned' | 'cancelled' | 'blocked'
export type RunStatus = 'done' | 'failed' | 'cancelled'

/** What is being done to a node: its body, taking it back, or its last act. */
export type Phase = 'run' | 'undo' | 'finally'

export type RunEventBody =
  /** Before any node; the plan is the one being run. */
  | {
      readonly type: 'run.started'
      readonly stage: string
      readonly tasks: readonly string[]
      readonly nodes: number
      readonly user: string
    }
  /** Before the first line of a body, an undo or a finally. Milestones start too, and end at once. */
  | { readonly type: 'node.started'; readonly node: string; readonly phase: Phase }
  /** A line from `log`. */
  | { readonly type: 'node.log'; readonly node: string; readonly phase: Phase; readonly message: string }
  | {
      readonly type: 'node.progress'
      readonly node: string
      readonly phase: Phase
      readonly done: number
      readonly total?: number
    }
  /** What the shells of the node do. */
  | {
      readonly type: 'node.command'
      readonly node: string
      readonly phase: Phase
      readonly event: CommandEvent
    }
  /** An attempt failed and there will be another one, `delayMs` from now; `attempt` counts from 1. */
  | {
      readonly type: 'node.retrying'
      readonly node: string
      readonly phase: 'run'
      readonly attempt: number
      readonly attempts: number
      readonly delayMs: number
      readonly problem: ProblemRecord
    }
  | {
      readonly type: 'node.ended'
      readonly node: string
      readonly phase: Phase
      readonly status: NodeStatus
      readonly durationMs: number
      /** Why it was skipped or blocked. */
      readonly reason?: string
      readonly problem?: ProblemRecord
      /** The result, for a task that ended well and has one. */
      readonly result?: unknown
    }
  /** From here on no new node starts; undo follows. */
  | { readonly type: 'run.stopping'; readonly reason: string }
  | { readonly type: 'run.ended'; readonly status: RunStatus; readonly durationMs: number }

/** One entry of the single stream that the screen, the log file and the journal are made from. */
export type RunEvent = RunEventBody & {
  /** Counts from 1 without gaps. */
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
}
