import type { AnyTask } from './task.ts'

/** A set of tasks that is used as one: `use: [app]`. `S` is the union of stages that its `perStage` tables know. */
export interface Recipe<T = any, S extends string = any> {
  readonly tasks: T
  readonly '~stages': (stage: S) => void
}

export type StagesOf<R> = R extends { readonly '~stages': (stage: infer S) => void } ? S : string

/** Ships tasks as a set, under the property names by which other tasks need them: `app.tasks.release`. */
export function recipe<T extends Readonly<Record<string, AnyTask>>, S extends string = string>(
  tasks: T,
): Recipe<T, S> {
  return { tasks, '~stages': () => undefined }
}
