import type { Catalog } from '../config/catalog.ts'
import type { RunEvent } from '../event/event.ts'
import type { Clock } from '../port/clock.ts'
import type { Executor } from '../port/executor.ts'
import type { Journal } from '../port/journal.ts'
import type { Ask } from '../port/question.ts'
import type { ShellProvider } from '../port/shell.ts'
import type { RunInfo } from '../task/context.ts'

/** What a run needs beside its plan: the bodies, the doors to hosts, and who listens. */
export interface ExecuteOptions {
  readonly catalog: Catalog
  readonly shells: ShellProvider
  readonly run: RunInfo
  readonly ask: Ask
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
  /** Bodies at once, default 100. */
  readonly concurrency?: number
  /** Bodies at once on one host; default: as many as in all. */
  readonly perHost?: number
  /** Milliseconds that a body has to stop once it was told to; default the config's `grace`. */
  readonly grace?: number
  /** Default: the system's. */
  readonly clock?: Clock
}
