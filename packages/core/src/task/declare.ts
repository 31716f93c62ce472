import type { On } from '../host/on.ts'
import { callerLocation } from '../problem/location.ts'
import { checkKeys, checkSpec, SHARED_KEYS } from './check-spec.ts'
import type { RunContext, RunEnd, TaskContext, UndoContext, UndoEnd, Unread } from './context.ts'
import type { DoctorContext, Finding } from './finding.ts'
import type { CheckNeeds } from './needs.ts'
import { checkPace } from './pace.ts'
import type { Schema, SchemaInput } from './schema.ts'
import { makeTask } from './task.ts'
import type { AnyTask, ErasedSpec, Needs, PlanContext, Task, TaskOptions } from './task.ts'

/** Says nothing of the result: that is for `run` to say. */
export type Preview<C, R> = true | ((context: C) => NoInfer<R> | Promise<NoInfer<R>>)

export interface TaskSpec<S, N, H, W, E, R, Q> extends TaskOptions {
  /** Other names by which the command line takes it; lists and plans show its own. */
  readonly aliases?: readonly string[]
  /** Tasks whose results this one uses: `{ build, release: all(release) }`. They run first. */
  readonly needs?: N & CheckNeeds<N>
  /** A zod object (or any Standard Schema); its keys become `key=value` on the command line. */
  readonly input?: S
  /** Where it runs: a role, roles, `{ role, pick: 'primary' }` or `where(…)`. Absent: once, on the control machine. */
  readonly on?: H
  /** true, false, or a reason not to run. */
  readonly when?: (context: PlanContext<S>) => W
  /** 'warn': a failure is shown but fails neither the run nor dependents, which then see undefined. Default 'fail'. */
  readonly onError?: E
  run(context: RunContext<S, N, H>): RunEnd<R, Q>
  /**
   * What a dry run (`-n`) does. true: enters `run`, whose shells then only read and print what they would change. A function: in its
   * place, for what `run` could not know without changing something; gives the same result. Absent: dependents are not shown either.
   */
  readonly preview?: Preview<RunContext<S, N, H>, R>
  /** Takes back what `run` did, also when it did only half. Must be safe when nothing was done. Stands below `run`. */
  undo?(context: UndoContext<S, N, H, R>): UndoEnd<R, Q>
  /** After everything, whether the run succeeded or not. */
  finally?(context: TaskContext<S, N, H>): void | Promise<void>
  /**
   * What `deployfile doctor` looks at for this task, on each of its hosts, apart from any run: what would keep it from working, and what
   * a killed run has left, which it may put right.
   */
  doctor?(context: DoctorContext): readonly Finding[] | Promise<readonly Finding[]>
}

type AtFrom<H> = [H] extends [undefined]
  ? 'once'
  : [H] extends [{ readonly pick: 'primary' }]
    ? 'primary'
    : 'each'
type Out<W, E, R> = [W] extends [true] ? ([E] extends ['fail'] ? R : R | undefined) : R | undefined

/** What tasks of one kind share: `task.preset({ on: 'db', effect: 'read' })`. */
export interface PresetOptions<H, E> extends TaskOptions {
  readonly on?: H
  readonly onError?: E
  /** As a task's own, but not a function. */
  readonly preview?: true
}

/** `task`, and what {@link TaskFn.preset} makes of it; `PH` and `PE` are the preset's `on` and `onError`. */
export interface TaskFn<PH extends On | undefined = undefined, PE extends 'fail' | 'warn' = 'fail'> {
  /**
   * Declares a task. Plain data: nothing runs until a plan is made of it.
   * @throws Problem `TASK_INVALID` (usage) for an impossible name, an unknown key, or `undo` above `run`
   */
  <
    const Name extends string,
    N extends Needs = {},
    S extends Schema = Schema<{}, {}>,
    const H extends On | undefined = PH,
    W extends boolean | string = true,
    E extends 'fail' | 'warn' = PE,
    R = Unread,
    Q = Unread,
  >(
    name: Name,
    spec: TaskSpec<S, N, H, W, E, R, Q>,
  ): Task<Name, SchemaInput<S>, Out<W, E, R>, AtFrom<H>>
  /**
   * A `task` with other defaults; what a task says itself wins. A preset's preset has both.
   * @throws Problem `TASK_INVALID` (usage) for a key that tasks cannot share
   */
  readonly preset: <const H extends On | undefined = PH, E extends 'fail' | 'warn' = PE>(
    options: PresetOptions<H, E>,
  ) => TaskFn<H, E>
}

export const task: TaskFn = taskWith({})

function taskWith<PH extends On | undefined, PE extends 'fail' | 'warn'>(
  defaults: ErasedInput,
): TaskFn<PH, PE> {
  const hasDefaults = Object.keys(defaults).length > 0
  const declare = (name: string, spec: ErasedInput): AnyTask => {
    const location = callerLocation(declare)
    checkSpec(name, spec, location)
    const whole = hasDefaults ? { ...defaults, ...spec } : spec
    checkPace(name, whole, location)
    return makeTask(name, eraseSpec(whole), location, undefined)
  }
  const preset = (options: ErasedInput): TaskFn<any, any> => {
    checkKeys('a preset', options, SHARED_KEYS, callerLocation(preset))
    return taskWith({ ...defaults, ...options })
  }
  return Object.assign(declare, { preset }) as unknown as TaskFn<PH, PE>
}

type ErasedInput = Partial<ErasedSpec>

const NO_NEEDS: Needs = Object.freeze({})

/** Every key in one order, absent or not: objects of one shape are made and read several times as fast as copies of what was given. */
function eraseSpec(spec: ErasedInput): ErasedSpec {
  const erased: { readonly [K in keyof ErasedSpec]-?: ErasedSpec[K] | undefined } = {
    desc: spec.desc,
    aliases: spec.aliases,
    needs: spec.needs ?? NO_NEEDS,
    input: spec.input,
    on: spec.on,
    when: spec.when,
    onError: spec.onError ?? 'fail',
    run: spec.run,
    preview: spec.preview,
    undo: spec.undo,
    finally: spec.finally,
    doctor: spec.doctor,
    effect: spec.effect,
    onNoHost: spec.onNoHost,
    onResume: spec.onResume,
    commits: spec.commits,
    timeout: spec.timeout,
    retry: spec.retry,
    lock: spec.lock,
    rolling: spec.rolling,
    overrides: undefined,
  }
  return erased as ErasedSpec
}
