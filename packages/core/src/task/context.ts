import type { Failure } from '../event/failure.ts'
import type { ProgressFacts } from '../event/progress.ts'
import type { Host, Stage } from '../host/host.ts'
import type { Question } from '../port/question.ts'
import type { Shell } from '../port/shell.ts'
import type { Results, View } from './needs.ts'
import type { SchemaOutput } from './schema.ts'
import type { AnyTask, InputOf } from './task.ts'

export interface RunInfo {
  /** Sortable and unique: `20261123T181502123Z-3f9a`. */
  readonly id: string
  readonly startedAt: Date
  /** Who runs it, for logs on hosts: the CI's user, git's user.name or the login. */
  readonly user: string
  /** The folder of deploy.config.ts. */
  readonly root: string
  /** True when nothing may be changed: shells only read, and say what they would do. */
  readonly dryRun?: boolean
  /** Milliseconds for which a task may wait for a lock on a host that another run holds; default 0, so it fails at once. */
  readonly lockWait?: number
  /** True when there is a terminal that {@link Shell.attach} can give to a command. */
  readonly terminal?: boolean
}

interface Skip {
  (reason: string): undefined
  <T>(reason: string, value: T): T
}

// Functions as properties, not methods: bodies take them out by destructuring.
export interface BaseContext {
  /** This task's name as the config has it, with the prefix of its namespace: for messages that say what to type. */
  readonly task: string
  readonly stage: Stage
  /** All hosts of the stage. */
  readonly hosts: readonly Host[]
  /** This machine, in the folder of deploy.config.ts. */
  readonly local: Shell
  /** Aborted when the run is told to stop. */
  readonly signal: AbortSignal
  readonly run: RunInfo
  /** What had gone wrong in this run when this body was entered, the first one first; for onFailure tasks, undo and finally. */
  readonly failures: readonly Failure[]
  /** A line for whoever watches. */
  readonly log: (message: string) => void
  /** How far the task is, in its own unit (bytes, rows); `total` only when it is known. */
  readonly progress: (done: number, total?: number, facts?: ProgressFacts) => void
  /** `return skip('nothing to do')`: the task ends as skipped, with a value for its dependents when one is given. */
  readonly skip: Skip
  /** Asks a person to type a name; rejects (exit 3) when the answer is another or nobody can be asked. */
  readonly confirm: (question: Question) => Promise<void>
}

export interface RemoteContext {
  /** The host of this node. */
  readonly host: Host
  readonly remote: Shell
}

/** A task's input as an argument: to be left out where all of it may be. */
export type CallInput<T> = {} extends InputOf<T> ? [input?: InputOf<T>] : [input: InputOf<T>]

/** What only `run` gets: `undo` and `finally` cannot call. */
export interface CallContext<H> {
  /**
   * Runs another task now, inside this one, and gives what a need of it would give: `const { dir } = await call(build)`. First what it
   * needs, as far as that was not done in this run; on the same host where both have `on`. Its hooks and `rolling` do not apply. Undone
   * before this task is. Rejects when it fails, and when it may do more than this task (its `effect`, its `lock`).
   */
  readonly call: <const T extends AnyTask>(task: T, ...input: CallInput<T>) => Promise<View<T, H>>
}

/** What only `run` gets, besides. */
export interface NeedsContext<N> {
  /**
   * A shell on the host where a need of this task runs, by the need's name: for what is done on two hosts at once, such as a pipe from
   * one to the other. Throws for a need that runs on no host, on several, or is not planned.
   */
  readonly remoteOf: (need: keyof N & string) => Shell
}

/** What `undo` and `finally` get. `host` and `remote` exist only with `on`. */
export type TaskContext<S, N, H> = BaseContext &
  ([H] extends [undefined] ? {} : RemoteContext) & {
    readonly input: SchemaOutput<S>
    readonly needs: Results<N, H>
  }

/** What `run` gets. Spelled out, so that the compiler calls it by this name in its messages. */
export type RunContext<S, N, H> = BaseContext &
  ([H] extends [undefined] ? {} : RemoteContext) & {
    readonly input: SchemaOutput<S>
    readonly needs: Results<N, H>
    readonly call: CallContext<H>['call']
    readonly remoteOf: NeedsContext<N>['remoteOf']
  }

/** How the body ended before it is undone. */
export type Outcome = 'done' | 'failed' | 'cancelled'

/**
 * The result of a body that the compiler has not read, or did not get to because of another mistake: as good as any, so that the one
 * mistake is the one error.
 */
export type Unread = any

/** What `undo` gets: `result` is undefined unless the body ended well. */
export type UndoContext<S, N, H, R> = TaskContext<S, N, H> & {
  readonly result: Awaited<R> | undefined
  readonly outcome: Outcome
}

// Nobody has it, so that a condition on it is always decided the same way, but only once its type is known.
interface Nobody {
  readonly '~nobody': never
}

/** What `run` gives back: `R` or a promise of it. The condition lets the compiler read all of it into `Q` as well. */
export type RunEnd<R, Q> = [Q] extends [Nobody] ? Q : R | Promise<R>

/**
 * What `undo` gives back: nothing. `Q` is what `run` gives back, read at the end; where `R`, which `undo` asked for, was not known by
 * then, `undo` stands above `run`.
 */
export type UndoEnd<R, Q> = 0 extends 1 & R
  ? 0 extends 1 & Awaited<Q>
    ? void | Promise<void>
    : '✗ write run above undo'
  : void | Promise<void>
