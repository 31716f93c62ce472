import type { RunRecord } from '../event/event.ts'
import type { Phase } from '../event/failure.ts'
import type { Failure } from '../event/failure.ts'
import type { CommandEvent } from './shell.ts'
import type { PlanNode } from '../plan/plan.ts'
import type { ProgressFacts } from '../event/progress.ts'
import type { Outcome, RunInfo } from '../task/context.ts'
import type { Question } from './question.ts'
import type { LendTerminal } from './terminal.ts'

/** What a body gets for one of its needs: one result, or one of each host. */
export type NeedValue =
  | {
      readonly kind: 'one'
      readonly value: unknown
      /** Where it ran; absent for what runs on the control machine, or is not planned. */
      readonly stage?: string
      readonly host?: string
    }
  | {
      readonly kind: 'each'
      readonly values: readonly { readonly stage: string; readonly host: string; readonly value: unknown }[]
    }

/** The run that a job is of: what its body gets as {@link RunInfo}. */
export type JobRun = RunRecord & Pick<RunInfo, 'dryRun' | 'lockWait' | 'terminal'>

/** One entry into one body, as data: another process that has the same config can do it. */
export interface Job {
  readonly run: JobRun
  readonly node: PlanNode
  readonly phase: Phase
  readonly needs: Readonly<Record<string, NeedValue>>
  /** What had gone wrong in the run before. */
  readonly failures: readonly Failure[]
  /** For `undo`: what the body had returned, and how it had ended. */
  readonly result?: unknown
  readonly outcome?: Outcome
}

/** What a body says while it runs; the run adds the node and the phase. */
export type BodyEvent =
  | { readonly type: 'node.log'; readonly message: string }
  | ({ readonly type: 'node.progress'; readonly done: number; readonly total?: number } & ProgressFacts)
  | { readonly type: 'node.command'; readonly event: CommandEvent }

/** The way back from a body to its run. Calls after the body has ended do nothing, or reject. */
export interface JobLink {
  /** Aborted when the body must stop: its timeout, an interrupt. */
  readonly signal: AbortSignal
  emit(event: BodyEvent): void
  ask(question: Question): Promise<void>
  /**
   * Runs another task inside this one: what a need of it would give. `input` is JSON but for secrets; undefined where none was given.
   * Rejects with what went wrong, and in any other phase than 'run'.
   */
  call(task: string, input: unknown): Promise<NeedValue>
  /** Absent where the body is in another process than the terminal. */
  readonly lendTerminal?: LendTerminal
}

/** How one entry into a body ended by itself. */
export type JobEnd =
  | {
      readonly kind: 'returned'
      readonly value: unknown
      /** The reason that the body gave to `skip`. */
      readonly skipped?: string
    }
  | { readonly kind: 'threw'; readonly thrown: unknown }

/**
 * Decides where and how a body is run. Which one, when, how often, how long and what becomes of its end is the run's own affair. The
 * local one looks the body up by name and enters it here; a queue may hand the job, which is JSON but for secrets, to a worker elsewhere.
 */
export interface Executor {
  /**
   * Enters a body once. Never throws and never rejects: what the body throws is its end. An end that is known at once may be returned
   * as it is, which costs no turn of the event loop.
   */
  enter(job: Job, link: JobLink): JobEnd | Promise<JobEnd>
}
