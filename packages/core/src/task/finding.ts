import type { Stage } from '../host/host.ts'
import type { Shell } from '../port/shell.ts'

/** One thing that `deployfile doctor` has looked at. */
export interface Finding {
  /** In a word or two: `disk`, `write access`. */
  readonly what: string
  /** 'doubtful' is shown as a warning; 'wrong' makes the exit code 3. */
  readonly state: 'well' | 'doubtful' | 'wrong'
  readonly said: string
  /** What to do about it. */
  readonly hint?: string | undefined
}

/** What a task's `doctor` gets. */
export interface DoctorContext {
  /** The task's name as the config has it, with the prefix of its namespace. */
  readonly task: string
  readonly stage: Stage
  /** A shell on a host of the task (`remote.host`); without `on`, on this machine. */
  readonly remote: Shell
  /** This machine, in the folder of deploy.config.ts. */
  readonly local: Shell
  /** The folder of deploy.config.ts. */
  readonly root: string
  /** Aborted when the host has had its time. */
  readonly signal: AbortSignal
}
