import type { Host } from '../host/host.ts'
import type { All, AnyTask, Optional, Task } from './task.ts'

/** Results of a task on several hosts, in the order in which the stage lists them. */
export interface PerHost<T> extends ReadonlyArray<{ readonly host: Host; readonly value: T }> {
  get(host: string | Host): T | undefined
}

/**
 * What a dependent that runs on `H` (undefined: the control machine) sees of a need. Presence of `on` decides, never equality of
 * roles: a per-host need gives its own host's result to a task with `on`, and all of them to one without.
 */
export type View<T, H> = T extends { readonly '~task': { readonly out: infer R; readonly at: infer A } }
  ? [A, H] extends ['each', undefined]
    ? PerHost<R>
    : R
  : T extends { readonly '~all': { readonly out: infer R } }
    ? PerHost<R>
    : T extends { readonly '~optional': infer X }
      ? View<X, H> | undefined
      : never

export type Results<N, H = undefined> = { readonly [K in keyof N]: View<N[K], H> }

type NeedCheck<T> = T extends {
  readonly name: infer Name extends string
  readonly '~task': { readonly in: (input: infer I) => void }
}
  ? {} extends I
    ? T
    : `✗ '${Name}' has required input: bind it, e.g. ${Name}.with({ … })`
  : T

export type CheckNeeds<N> = { readonly [K in keyof N]: NeedCheck<N[K]> }

/** Waits for every host and gives all results, also to a task that has `on`. */
export function all<Name extends string, R>(task: Task<Name, any, R, 'each'>): All<Name, R> {
  return { all: task.name, '~all': { task } as unknown as All<Name, R>['~all'] }
}

/** An ordinary need where the task is planned anyway, `undefined` where it is not; never plans it. */
export function optional<const T extends AnyTask | All>(need: T): Optional<T> {
  return { '~optional': need }
}

/** The parts of a need, for the resolver. */
export function readNeed(need: AnyTask | All | Optional): { task: AnyTask; all: boolean; optional: boolean } {
  if ('~optional' in need) return { ...readNeed(need['~optional'] as AnyTask | All), optional: true }
  if ('~all' in need) return { task: need['~all'].task, all: true, optional: false }
  return { task: need, all: false, optional: false }
}

/** Builds the value that a dependent gets for a per-host need. */
export function perHost<T>(entries: readonly { readonly host: Host; readonly value: T }[]): PerHost<T> {
  const byName = new Map(entries.map((entry) => [entry.host.name, entry.value]))
  const list = [...entries] as { readonly host: Host; readonly value: T }[] & { get?: PerHost<T>['get'] }
  Object.defineProperty(list, 'get', {
    value: (host: string | Host) => byName.get(typeof host === 'string' ? host : host.name),
  })
  return list as unknown as PerHost<T>
}
