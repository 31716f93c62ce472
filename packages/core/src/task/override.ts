import { callerLocation, type SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import type { BaseContext, CallContext, NeedsContext, Outcome, RemoteContext, RunInfo } from './context.ts'
import { checkKeys, TASK_OPTIONS } from './check-spec.ts'
import type { Preview } from './declare.ts'
import type { CheckNeeds, Results } from './needs.ts'
import { checkPace } from './pace.ts'
import { makeTask, type AnyTask, type AtOf, type ErasedSpec } from './task.ts'
import type { InputOf, Needs, ResultOf, TaskOptions } from './task.ts'

// Any `on` will do: types ask only whether there is one.
type OnOf<T> = AtOf<T> extends 'once' ? undefined : string

/** What the bodies of an override get: as those of the task, but with the needs of the override. */
export type OverrideContext<T, N> = BaseContext &
  (AtOf<T> extends 'once' ? {} : RemoteContext) & {
    /**
     * Typed as the input is given, not as a schema's `.transform` makes it: a task's type tells no more. Values are the checked ones, with
     * their defaults.
     */
    readonly input: InputOf<T>
    readonly needs: Results<N, OnOf<T>>
  }

/** What stays as the task has it is not here: its name, input, `on`, `when`, `onError`, and what its own body needs. */
export interface OverrideSpec<T, N> extends TaskOptions {
  /** Needed besides what the task needs. */
  readonly needs?: N & CheckNeeds<N>
  /**
   * In place of the task's body. `base` runs that, with the same input unless another is given.
   */
  run(
    context: OverrideContext<T, N> &
      CallContext<OnOf<T>> &
      NeedsContext<N> & { readonly base: (input?: InputOf<T>) => Promise<ResultOf<T>> },
  ): ResultOf<T> | Promise<ResultOf<T>>
  /** As a task's own; the preview of the task that is wrapped belongs to its own body and is what `base` then runs. */
  readonly preview?: Preview<
    OverrideContext<T, N> &
      CallContext<OnOf<T>> &
      NeedsContext<N> & { readonly base: (input?: InputOf<T>) => Promise<ResultOf<T>> },
    ResultOf<T>
  >
  /** In place of the task's own `undo`, which stays where this is absent. */
  undo?(
    context: OverrideContext<T, N> & { readonly result: ResultOf<T> | undefined; readonly outcome: Outcome },
  ): void | Promise<void>
  /** In place of the task's own `finally`, which stays where this is absent. */
  finally?(context: OverrideContext<T, N>): void | Promise<void>
}

/**
 * A recipe's task with another body, of the same result. In `tasks` of a config it takes the place of the task of that name
 * everywhere, the recipe's own needs included; anywhere else it is an error when the config is loaded.
 * @throws Problem `TASK_INVALID` (usage) for an unknown key or a task whose input is bound
 */
export function override<const T extends AnyTask, N extends Needs = {}>(
  base: T,
  spec: OverrideSpec<T, N>,
): T {
  const location = callerLocation(override)
  const own = base['~task'].spec
  const given = spec as Partial<ErasedSpec>
  checkOverride(base, given, location)
  checkPace(base.name, { ...own, ...given }, location)
  const { needs = {}, run, undo, finally: last, ...options } = given
  const baseRun = own.run
  const made: ErasedSpec = {
    ...{ ...own, ...options },
    needs: { ...needs, ...prefixed(own.needs) },
    run: (context: Context) => run?.(withBase(context, needs, base)),
    // The task's own preview shows the task's own body.
    preview:
      typeof given.preview === 'function'
        ? (context: Context) => (given.preview as Body)(withBase(context, needs, base))
        : given.preview,
    undo: (undo && narrowed(undo, needs)) ?? (own.undo && widened(own.undo)),
    finally: (last && narrowed(last, needs)) ?? (own.finally && widened(own.finally)),
    // A milestone was 'read'; now it has a body.
    ...(baseRun === undefined && { effect: options.effect ?? 'write' }),
    overrides: base,
  }
  return makeTask(base.name, made, location, undefined) as T
}

/** What the body of an override gets; in a dry run `base` is the preview of the task that it wraps. */
function withBase(context: Context, needs: Needs, task: AnyTask): Context {
  const { run, preview } = task['~task'].spec
  const body: Body | undefined = context.run.dryRun === true && preview !== true ? preview : run
  if (!body && run) {
    const base = (): Promise<never> =>
      Promise.reject(new Problem('task', 'NO_PREVIEW', `'${task.name}' has no preview`, { key: task.name }))
    return withOwn(context, { needs: pick(context.needs, needs), base })
  }
  return withOwn(context, {
    needs: pick(context.needs, needs),
    base: async (input?: unknown): Promise<unknown> =>
      body?.(
        withOwn(context, {
          needs: unprefixed(context.needs),
          ...(input !== undefined && { input: await parsed(task, input) }),
        }),
      ),
  })
}

const KEYS = [...TASK_OPTIONS, 'needs', 'run', 'undo', 'finally']
const KEPT = ['input', 'on', 'when', 'onError']

function checkOverride(base: AnyTask, spec: Partial<ErasedSpec>, location: SourceLocation | undefined): void {
  const fail = (message: string, hint: string, key?: string): never => {
    throw new Problem('usage', 'TASK_INVALID', message, { location, hint, ...(key !== undefined && { key }) })
  }
  const what = `the override of '${base.name}'`
  const kept = Object.keys(spec).find((key) => KEPT.includes(key))
  if (kept !== undefined) {
    fail(
      `${what} cannot change '${kept}'`,
      `What needs '${base.name}' relies on its ${KEPT.join(', ')} and result: declare a task of another name instead.`,
      kept,
    )
  }
  checkKeys(what, spec, KEYS, location)
  const taken = Object.keys(spec.needs ?? {}).find((key) => key.startsWith(PREFIX))
  if (taken !== undefined) {
    fail(
      `${what} cannot call a need '${taken}'`,
      `Names with ${PREFIX} stand for what the task itself needs.`,
      taken,
    )
  }
  if (typeof spec.run !== 'function') {
    fail(`${what} has no run function`, `Give it one: run: ({ base }) => base().`)
  }
  if (base['~task'].bound !== undefined) {
    fail(`${what} is of a task whose input is bound`, `Override the task itself, without .with(…).`)
  }
}

type Body = (context: Context) => unknown
interface Context {
  readonly run: RunInfo
  readonly needs: Readonly<Record<string, unknown>>
}

// The needs of the body that is wrapped stand under names of their own, so that both may use the same word for different tasks.
const PREFIX = 'base.'

function prefixed<V>(needs: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(needs).map(([key, need]) => [`${PREFIX}${key}`, need]))
}

function unprefixed<V>(needs: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(
    Object.entries(needs).flatMap(([key, value]) =>
      key.startsWith(PREFIX) ? [[key.slice(PREFIX.length), value]] : [],
    ),
  )
}

function pick(values: Readonly<Record<string, unknown>>, keys: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, values[key]]))
}

function narrowed(body: Body, needs: Needs): (context: Context) => void | Promise<void> {
  return (context) => body(withOwn(context, { needs: pick(context.needs, needs) })) as void | Promise<void>
}

function widened(body: Body): (context: Context) => void | Promise<void> {
  return (context) => body(withOwn(context, { needs: unprefixed(context.needs) })) as void | Promise<void>
}

// Descriptors and not a spread: a shell is opened when it is first read.
function withOwn<C extends object>(context: C, values: object): C {
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(context), ...Object.getOwnPropertyDescriptors(values) },
  ) as C
}

/** The input as the task's own body would get it: checked, and with its defaults. */
async function parsed(task: AnyTask, input: unknown): Promise<unknown> {
  const schema = task['~task'].spec.input
  if (!schema) return input
  const result = (await schema['~standard'].validate(input)) as {
    readonly value?: unknown
    readonly issues?: readonly { readonly message: string }[]
  }
  if (!result.issues) return result.value
  const [issue] = result.issues
  throw new Problem(
    'task',
    'INPUT_INVALID',
    `base(…) of '${task.name}': ${issue?.message ?? 'wrong input'}`,
    {
      hint: 'Give base what the task takes as its input, or nothing for the same input.',
    },
  )
}
