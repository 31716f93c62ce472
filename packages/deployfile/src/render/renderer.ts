import type { Plan, RunEvent, RunInfo } from '@deployfile/core'
import type { Output, Style } from './style.ts'

/** Shows a run. It only consumes the event stream: nothing in a run waits for it or depends on it. */
export interface Renderer {
  event(event: RunEvent): void
  /** Gives the screen away, for a question, and takes it back. */
  pause(): void | Promise<void>
  resume(): void
  /** Something about the command itself, such as "stopping": shown now, whatever is on the screen. */
  notice(text: string): void
  /** Leaves the screen as it shall stay. Safe to call twice. */
  end(): Promise<void>
}

export interface RenderContext {
  readonly plan: Plan
  readonly run: RunInfo
  readonly output: Output
  readonly style: Style
  /** For a run that another process had begun. */
  readonly goingOn?: GoingOn
  /** Also commands that only read. */
  readonly verbose: boolean
}

/** A run that is resumed, with how many of its tasks are done already, or one that is taken back. */
export type GoingOn =
  { readonly mode: 'resume'; readonly done: number; readonly of: number } | { readonly mode: 'undo' }
