import type { CallPlan } from '../plan/call.ts'
import type { Plan } from '../plan/plan.ts'
import type { CommandEvent } from '../port/shell.ts'
import type { ProblemRecord } from '../problem/problem.ts'
import type { Phase } from './failure.ts'
import type { ProgressFacts } from './progress.ts'
import type { RunProcess } from './run-process.ts'

/** How a node ended. 'warned' failed under `onError: 'warn'`; 'cancelled' was stopped; 'blocked' never started because of another. */
export type NodeStatus = 'done' | 'skipped' | 'failed' | 'warned' | 'cancelled' | 'blocked'
/** How a run ended. 'undone': what an earlier process had left of it was taken back, see `runs undo`. */
export type RunStatus = 'done' | 'failed' | 'cancelled' | 'undone'

/** What becomes of what was done, when a run fails or is interrupted: it is taken back, it stays, or a person is asked. */
export type UndoMode = 'on' | 'off' | 'ask'

export type RunEventBody =
  /** Before any node; with all that is needed to go on with the run, or to take it back, when its process is gone. */
  | {
      readonly type: 'run.started'
      /** Counts up when events change so that an older version could not read them. */
      readonly format: 1
      readonly stage: string
      readonly tasks: readonly string[]
      readonly nodes: number
      readonly user: string
      readonly run: RunRecord
      readonly plan: Plan
      /** The files that the config was read from, relative to the run's root, with the sha256 of each. */
      readonly sources: Readonly<Record<string, string>>
      /** Nothing is changed: it can be neither resumed nor undone. */
      readonly dryRun?: true
      readonly undo: UndoMode
      readonly process?: RunProcess
    }
  /** Another process goes on with the run, or takes it back. */
  | {
      readonly type: 'run.resumed'
      readonly mode: 'resume' | 'undo'
      /** The nodes that count as done and are not run again. */
      readonly kept: readonly string[]
      /** Files of the config that are not what they were when the run was started. */
      readonly changed: readonly string[]
      readonly user: string
      readonly undo: UndoMode
      readonly process?: RunProcess
    }
  /** Before the first line of a body, an undo or a finally. Milestones start too, and end at once. */
  | { readonly type: 'node.started'; readonly node: string; readonly phase: Phase }
  /** A line from `log`. */
  | { readonly type: 'node.log'; readonly node: string; readonly phase: Phase; readonly message: string }
  | ({
      readonly type: 'node.progress'
      readonly node: string
      readonly phase: Phase
      readonly done: number
      readonly total?: number
    } & ProgressFacts)
  /** What the shells of the node do. */
  | {
      readonly type: 'node.command'
      readonly node: string
      readonly phase: Phase
      readonly event: CommandEvent
    }
  /** The body calls another task; `plan` has what that runs. Before anything of it starts. */
  | {
      readonly type: 'node.calling'
      readonly node: string
      readonly phase: 'run'
      /** Which call of this entry into the body, from 1. */
      readonly call: number
      readonly task: string
      readonly plan: CallPlan
    }
  /** A node of a call is not run: another call ran it, under the id `of`, and its result is taken. */
  | {
      readonly type: 'node.reused'
      readonly node: string
      readonly phase: 'run'
      readonly of: string
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
  /** The run did not end well, and what was done stays as it is. */
  | { readonly type: 'run.left'; readonly reason: string }
  | { readonly type: 'run.ended'; readonly status: RunStatus; readonly durationMs: number }

/** The facts of a run that its bodies see, as data. */
export interface RunRecord {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly user: string
  readonly root: string
}

/** One entry of the single stream that the screen, the log file and the journal are made from. */
export type RunEvent = RunEventBody & {
  /** Counts from 1 without gaps. */
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** Of a node that was called: the one whose body called it. */
  readonly parent?: string
}
