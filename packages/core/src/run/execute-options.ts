import type { Catalog } from '../config/catalog.ts'
import type { RunEvent, UndoMode } from '../event/event.ts'
import type { RunProcess } from '../event/run-process.ts'
import type { RecordedRun } from '../journal/recorded-run.ts'
import type { Clock } from '../port/clock.ts'
import type { Executor } from '../port/executor.ts'
import type { Journal } from '../port/journal.ts'
import type { Ask } from '../port/question.ts'
import type { ShellProvider } from '../port/shell.ts'
import type { LendTerminal } from '../port/terminal.ts'
import type { RunInfo } from '../task/context.ts'

/** What a run needs beside its plan: the bodies, the doors to hosts, and who listens. */
export interface ExecuteOptions {
  readonly catalog: Catalog
  readonly shells: ShellProvider
  readonly run: RunInfo
  readonly ask: Ask
  /** Absent: there is no terminal, and what needs one is refused. */
  readonly lendTerminal?: LendTerminal
  /** Aborted by Ctrl-C: nothing new starts, what runs is cancelled, then everything is undone as after a failure. */
  readonly signal: AbortSignal
  readonly journal?: Journal
  /** Default: bodies are entered in this process. */
  readonly executor?: Executor
  /** Every event, in order, also those that went to the journal. */
  readonly onEvent?: (event: RunEvent) => void
  /**
   * What a failure does to the rest: 'no-new' (default) starts nothing more and lets what runs end; 'continue' still runs all that
   * does not depend on it; 'kill' cancels what runs, as an interrupt does.
   */
  readonly onFailure?: 'no-new' | 'continue' | 'kill'
  /**
   * What a failure or an interrupt does to what was done: 'on' (default) undoes it; 'off' leaves it; 'ask' puts a question, and leaves
   * it for any other answer than `undo`. onFailure tasks and `finally` run in any case.
   */
  readonly undo?: UndoMode
  /** The run to go on with, by the events of the process that had it before; the plan is the same. What it has done is not run again. */
  readonly resumed?: RecordedRun
  /** Written down with the run: the config's files, with the sha256 of each. */
  readonly sources?: Readonly<Record<string, string>>
  /** Written down with the run: who carries it out. */
  readonly process?: RunProcess
  /**
   * Nothing is to be changed: only bodies of tasks with `preview` are entered, `ask` is not called, and nothing is undone or cleared
   * up, as nothing was done. `shells` must be such that write nothing.
   */
  readonly dryRun?: boolean
  /** Bodies at once, default 100. */
  readonly concurrency?: number
  /** Bodies at once on one host; default: as many as in all. */
  readonly perHost?: number
  /** Milliseconds that a body has to stop once it was told to; default the config's `grace`. */
  readonly grace?: number
  /** Default: the system's. */
  readonly clock?: Clock
}
