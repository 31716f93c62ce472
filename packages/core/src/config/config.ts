import type { HostKeys, HostSpec } from '../host/host.ts'
import { callerLocation, type SourceLocation } from '../problem/location.ts'
import type { Recipe, StagesOf } from '../task/recipe.ts'
import type { Duration } from '../task/duration.ts'
import type { AnyTask } from '../task/task.ts'

export interface StageSpec {
  /** Ask before anything is written, and never restore onto its database. Default false. */
  readonly protected?: boolean
  /** For hosts that do not say themselves: whether an unknown host key ends the run ('strict') or is added ('accept-new'). */
  readonly hostKeys?: HostKeys
  readonly hosts: Readonly<Record<string, HostSpec>>
}

export type HookTable = Readonly<Record<string, readonly AnyTask[] | undefined>>

/** A config as `defineConfig` returns it: what was written, and where. Read by `loadCatalog`. */
export interface Config {
  readonly '~config': 1
  readonly location: SourceLocation | undefined
  /** Unchecked: types are gone at run time, and a config may be plain JavaScript. */
  readonly source: unknown
}

type NameOf<T> = T extends { readonly name: infer N extends string; readonly '~task': any } ? N : never
type RecipeNames<R> = R extends Recipe<infer T> ? NameOf<T[keyof T]> : never
type Hooks<R extends readonly unknown[], L extends readonly unknown[]> = {
  readonly [K in RecipeNames<R[number]> | NameOf<L[number]>]?: readonly AnyTask[]
}
type StageCheck<R, St extends string> = {
  readonly [I in keyof R]: [St] extends [StagesOf<R[I]>]
    ? R[I]
    : `✗ a perStage table of this recipe has no entry for '${Exclude<St, StagesOf<R[I]> & string>}'`
}

/** Declares a project: its stages, the recipes and tasks it uses, and what runs before and after which task. */
export function defineConfig<
  const St extends string,
  const R extends readonly Recipe[] = [],
  const L extends readonly AnyTask[] = [],
>(config: {
  readonly stages: { readonly [K in St]: StageSpec }
  /** The stage of a command that names none. */
  readonly defaultStage?: NoInfer<St>
  readonly use?: R & StageCheck<R, NoInfer<St>>
  readonly tasks?: L
  /** Tasks that run before the named one, in order. A failed hook fails it. */
  readonly before?: Hooks<NoInfer<R>, NoInfer<L>>
  readonly after?: Hooks<NoInfer<R>, NoInfer<L>>
  /**
   * Tasks that run when a run failed or was interrupted, after everything was undone and before `finally`; their context has `failures`.
   * In parallel, unless they need each other.
   */
  readonly onFailure?: readonly AnyTask[]
  /** How many nodes may hold a task's `lock` at a time, by its name. Default 1. */
  readonly pools?: Readonly<Record<string, number>>
  /** How long a body has to stop after its timeout or an interrupt, before the run goes on without it. Default '10s'. */
  readonly grace?: Duration
}): Config {
  return { '~config': 1, location: callerLocation(defineConfig), source: config }
}

export function isConfig(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && '~config' in value
}
