import type { Failure } from '../event/failure.ts'
import type { Host, Stage } from '../host/host.ts'
import type { Question } from '../port/question.ts'
import type { Shell } from '../port/shell.ts'
import type { Results } from './needs.ts'
import type { SchemaOutput } from './schema.ts'

export interface RunInfo {
  /** Sortable and unique: `20261123T181502123Z-3f9a`. */
  readonly id: string
  readonly startedAt: Date
  /** Who runs it, for logs on hosts: the CI's user, git's user.name or the login. */
  readonly user: string
  /** The folder of deploy.config.ts. */
  readonly root: string
}

interface Skip {
  (reason: string): undefined
  <T>(reason: string, value: T): T
}

// Functions as properties, not methods: bodies take them out by destructuring.
export interface BaseContext {
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
  readonly progress: (done: number, total?: number) => void
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

/** What `run` gets. `host` and `remote` exist only with `on`. */
export type TaskContext<S, N, H> = BaseContext &
  ([H] extends [undefined] ? {} : RemoteContext) & {
    readonly input: SchemaOutput<S>
    readonly needs: Results<N, H>
  }

/** Shown when `undo` stands before `run`: its result is not known yet. */
export interface WriteRunAboveUndo {}

/** How the body ended before it is undone. */
export type Outcome = 'done' | 'failed' | 'cancelled'

/** What `undo` gets: `result` is undefined unless the body ended well. */
export type UndoContext<S, N, H, R> = 0 extends 1 & R
  ? TaskContext<S, N, H> & { readonly result: any; readonly outcome: Outcome }
  : [unknown] extends [R]
    ? WriteRunAboveUndo
    : TaskContext<S, N, H> & { readonly result: Awaited<R> | undefined; readonly outcome: Outcome }
