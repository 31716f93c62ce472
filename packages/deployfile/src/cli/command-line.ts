import type { UndoMode } from '@deployfile/core'

export type OnFailure = 'no-new' | 'continue' | 'kill'

export type RendererName = 'auto' | 'tree' | 'plain' | 'json' | 'github'

export type GraphFormat = 'mermaid' | 'dot' | 'json'

/** `-T`, `-D`, `-P`, `-W`. */
export type ListKind = 'tasks' | 'describe' | 'needs' | 'where'

/** A command line, read as far as that goes without a config: our options, and everything else in its order. */
export interface CommandLine {
  readonly words: readonly string[]
  /** What stands after `--`: words, whatever they look like. Undefined where there is none. */
  readonly rest: readonly string[] | undefined
  readonly help: boolean
  readonly list: ListKind | undefined
  /** Of the list. */
  readonly pattern: string | undefined
  readonly all: boolean
  readonly plan: boolean
  readonly graph: GraphFormat | undefined
  readonly dryRun: boolean
  readonly filters: Filters
  readonly yes: boolean
  readonly onFailure: OnFailure
  readonly undo: UndoMode
  /** `--resume`: true for the last run, or the id of one. */
  readonly resume: boolean | string
  /** Bodies at once. */
  readonly concurrency: number | undefined
  /** Milliseconds. */
  readonly grace: number | undefined
  /** Milliseconds. */
  readonly lockWait: number | undefined
  readonly renderer: RendererName
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly config: string | undefined
  readonly cwd: string | undefined
}

/** What a run leaves out: `-z`, `-r` and `--skip`, each absent where it is not given. */
export interface Filters {
  readonly hosts?: readonly string[]
  readonly roles?: readonly string[]
  readonly skip?: readonly string[]
}

/** Text to print instead of doing anything: `--help`, `--version`. */
export interface Told {
  readonly text: string
}
