import {
  makeTask,
  optional,
  Problem,
  type AnyTask,
  type Catalog,
  type Host,
  type InputOf,
  type ResultOf,
} from '@deployfile/core'

/** Where a fake stands in for a body. */
export interface FakePlace<In> {
  /** Undefined for a task without `on`. */
  readonly host: Host | undefined
  readonly input: In
}

/** A result, or a function that makes it: one for each host, for each input, or a throw. */
export type FakeResult<T> =
  ResultOf<T> | ((place: FakePlace<InputOf<T>>) => ResultOf<T> | Promise<ResultOf<T>>)

/** A stand-in for one task's body; made by {@link fake}. */
export interface Fake {
  readonly task: string
  /** The task itself: what is only called is in no plan, and has to be among the tasks all the same. */
  readonly of: AnyTask
  readonly run: (place: FakePlace<never>) => unknown
}

/**
 * Says what a task gives, so that its body is not run: `fake(build, { dir: 'dist' })`. Checked by the task's own result type. What
 * only a fake needs is not planned; what is planned anyway still comes before it. Its `undo` and `finally` do nothing.
 */
export function fake<T extends AnyTask>(
  task: T,
  ...[result]: undefined extends ResultOf<T> ? [result?: FakeResult<T>] : [result: FakeResult<T>]
): Fake {
  const given: unknown = result
  const run = typeof given === 'function' ? (given as Fake['run']) : () => given
  return { task: task.name, of: task, run }
}

/**
 * The same catalog with the bodies of some tasks replaced.
 * @throws Problem `FAKE_INVALID` (usage) for two fakes of one task, and for one of a task that the catalog does not have
 */
export function withFakes(catalog: Catalog, fakes: readonly Fake[]): Catalog {
  const tasks = new Map(catalog.tasks)
  const seen = new Set<string>()
  for (const { task: name, run } of fakes) {
    const task = tasks.get(name)
    if (!task) throw invalid(`there is a fake of '${name}', which is not among the tasks`, 'Remove it.')
    if (seen.has(name)) {
      throw invalid(
        `there are two fakes of '${name}'`,
        'Give it one; a function can answer by host and by input: fake(task, ({ host, input }) => …).',
      )
    }
    seen.add(name)
    tasks.set(name, standIn(task, run))
  }
  return { ...catalog, tasks }
}

function standIn(task: AnyTask, run: Fake['run']): AnyTask {
  const { spec, location, bound } = task['~task']
  const body = ({ host, input }: { host?: Host; input: unknown }): unknown =>
    run({ host, input: input as never })
  // Optional, so that it still waits for what is planned anyway.
  const needs = Object.fromEntries(
    Object.entries(spec.needs).map(([key, need]) => [key, '~optional' in need ? need : optional(need)]),
  )
  const made = { ...spec, needs, run: body, undo: undefined, finally: undefined }
  return makeTask(task.name, made, location, bound)
}

export function invalid(message: string, hint: string): Problem {
  return new Problem('usage', 'FAKE_INVALID', message, { hint })
}
