import type { NodeStatus, RunStatus, UndoMode } from '../event/event.ts'
import type { Failure } from '../event/failure.ts'
import type { RunProcess } from '../event/run-process.ts'
import type { CallPlan } from '../plan/call.ts'
import type { Plan } from '../plan/plan.ts'
import type { RunInfo } from '../task/context.ts'

/** What its events tell of one node; undefined or 'not' for what they do not tell. */
export interface RecordedNode {
  /** Undefined while its body is under way. */
  readonly status: NodeStatus | undefined
  readonly result: unknown
  /** Its body may have done something: it was announced, and is not known to have been held back. */
  readonly entered: boolean
  /** It did not stop when it was told to. */
  readonly abandoned: boolean
  readonly undo: 'not' | 'begun' | 'done' | 'failed'
  /** 'done' also when it failed: it is not tried again. */
  readonly finally: 'not' | 'begun' | 'done'
}

/** A run as its events tell it, at any point of its life. */
export interface RecordedRun {
  readonly run: RunInfo
  readonly plan: Plan
  /** The config's files, relative to the root of the run, with the sha256 of each. */
  readonly sources: Readonly<Record<string, string>>
  readonly undo: UndoMode
  /** Of the process that wrote last. */
  readonly process: RunProcess | undefined
  /** 'unfinished': the last process that had it never said that it ended. */
  readonly status: RunStatus | 'unfinished'
  /** It had begun to take back what was done, or onFailure tasks that follow that. */
  readonly takingBack: boolean
  /** It did not end well, and what was done was left as it is. */
  readonly left: boolean
  /** By node id, those of onFailure tasks too; only nodes of which there are events. */
  readonly nodes: ReadonlyMap<string, RecordedNode>
  /** What bodies called, in order. */
  readonly calls: readonly { readonly caller: string; readonly plan: CallPlan }[]
  /** The called nodes whose bodies were announced, in the order of their first starts. */
  readonly startedCalls: ReadonlySet<string>
  /** By a called node that was not run, the one whose result it took. */
  readonly reused: ReadonlyMap<string, string>
  /** What went wrong, since it was resumed last. */
  readonly failures: readonly Failure[]
  /** Of the last event. */
  readonly seq: number
  /** Milliseconds since 1970, of the last event. */
  readonly lastAt: number
}
