import type { Host, Stage } from '../host/host.ts'
import type { AnyTask } from '../task/task.ts'

/** A stage with its hosts, in the order in which the config lists them. */
export interface StageEntry {
  readonly stage: Stage
  readonly hosts: readonly Host[]
}

/** A checked config: every task by its name, those that are only needed by others included. */
export interface Catalog {
  readonly tasks: ReadonlyMap<string, AnyTask>
  /** The task's name by its alias. */
  readonly aliases: ReadonlyMap<string, string>
  readonly stages: ReadonlyMap<string, StageEntry>
  readonly defaultStage: string | undefined
  readonly before: ReadonlyMap<string, readonly AnyTask[]>
  readonly after: ReadonlyMap<string, readonly AnyTask[]>
  readonly onFailure: readonly AnyTask[]
  /** How many may hold a lock at a time; 1 for those that are not here. */
  readonly pools: ReadonlyMap<string, number>
  /** Milliseconds that a body has to stop once it was told to. */
  readonly grace: number
}
