import type { Host, Stage } from '../host/host.ts'
import type { On } from '../host/on.ts'
import { callerLocation, type SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import type { RunContext, RunEnd, TaskContext, UndoContext, UndoEnd, Unread } from './context.ts'
import type { DoctorContext, Finding } from './finding.ts'
import type { CheckNeeds, Needs } from './needs.ts'
import { checkInputData } from './input-data.ts'
import { checkPace, PACE_KEYS, type Pace } from './pace.ts'
import type { Schema, SchemaInput, SchemaOutput } from './schema.ts'

/** Where a task runs, as far as types care: once on the control machine, on one host, or on each of several. */
export type At = 'once' | 'primary' | 'each'

/** What a task does to what its stage serves. On a protected stage, 'write' and 'destroy' ask first; 'read' never does. */
export type Effect = 'read' | 'write' | 'destroy'

/** Types in, result out and place of a task; only `spec`, `location` and `bound` exist at run time. */
export interface TaskBrand<In, R, A extends At> {
  readonly in: (input: In) => void
  readonly out: R
  readonly at: A
  readonly spec: ErasedSpec
  readonly location: SourceLocation | undefined
  /** Input given by `.with`; such a task may be needed without arguments. */
  readonly bound: unknown
}

export interface Task<Name extends string = string, In = any, R = any, A extends At = At> {
  readonly name: Name
  readonly desc: string | undefined
  readonly '~task': TaskBrand<In, R, A>
  /** The same task with its input given: needs may hold it twice with different input. */
  with(input: In): Task<Name, {}, R, A>
}

export type AnyTask = Task<string, any, any, any>

export type InputOf<T> = T extends { readonly '~task': { readonly in: (input: infer I) => void } } ? I : never
export type ResultOf<T> = T extends { readonly '~task': { readonly out: infer R } } ? R : never
export type AtOf<T> = T extends { readonly '~task': { readonly at: infer A } } ? A : never

/** What `when` sees: it is decided while planning, before anything is connected. */
export interface PlanContext<S> {
  /** The task's name as the config has it, with the prefix of its namespace. */
  readonly task: string
  readonly stage: Stage
  readonly input: SchemaOutput<S>
  /** Only for a task with `on`. */
  readonly host?: Host
}

export interface TaskOptions extends Pace {
  readonly desc?: string
  /** Default 'write'. */
  readonly effect?: Effect
  /** When `on` matches no host of the stage: 'error' (default) or 'skip'. */
  readonly onNoHost?: 'error' | 'skip'
  /**
   * The point of no return: once this has ended well on every host where it is planned, none of its ancestors is undone.
   */
  readonly commits?: boolean
  /**
   * When a run is resumed whose process died while this one's body was running: 'rerun' (default) enters it again, 'ask' asks first,
   * 'fail' refuses to resume.
   */
  readonly onResume?: 'rerun' | 'ask' | 'fail'
}

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

/** A spec without its types, as the resolver and the executor read it. */
export interface ErasedSpec extends TaskOptions {
  readonly aliases?: readonly string[]
  readonly needs: Needs
  readonly input: Schema | undefined
  readonly on: On | undefined
  readonly when: ((context: PlanContext<any>) => boolean | string) | undefined
  readonly onError: 'fail' | 'warn'
  /** Absent for a group: a milestone without a body. */
  readonly run: ((context: any) => unknown) | undefined
  readonly preview?: true | ((context: any) => unknown) | undefined
  readonly undo: ((context: any) => void | Promise<void>) | undefined
  readonly finally: ((context: any) => void | Promise<void>) | undefined
  readonly doctor?: ((context: DoctorContext) => readonly Finding[] | Promise<readonly Finding[]>) | undefined
  /** The task whose place this one takes, for one that `override` made. */
  readonly overrides?: AnyTask
}

type AtFrom<H> = [H] extends [undefined]
  ? 'once'
  : [H] extends [{ readonly pick: 'primary' }]
    ? 'primary'
    : 'each'
type Out<W, E, R> = [W] extends [true] ? ([E] extends ['fail'] ? R : R | undefined) : R | undefined

const KEYS = [
  ...[
    'desc',
    'aliases',
    'effect',
    'onNoHost',
    'commits',
    'onResume',
    'needs',
    'input',
    'on',
    'when',
    'onError',
    'run',
    'preview',
    'undo',
    'finally',
    'doctor',
  ],
  ...PACE_KEYS,
]

// What is one task's own: its types are inferred from it, or it would mean the same for all.
const OWN_KEYS = ['aliases', 'needs', 'input', 'when', 'run', 'undo', 'finally', 'doctor']
const SHARED_KEYS = KEYS.filter((key) => !OWN_KEYS.includes(key))

/** The keys of {@link TaskOptions}: what changes neither a task's types nor its place. */
export const TASK_OPTIONS: readonly string[] = SHARED_KEYS.filter((key) => key !== 'on' && key !== 'onError')

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

/** A task value from its parts; also for groups, and for recipes that rename or bind. The type parameters are the caller's promise. */
export function makeTask<Name extends string, In, R, A extends At>(
  name: Name,
  spec: ErasedSpec,
  location: SourceLocation | undefined,
  bound: unknown,
): Task<Name, In, R, A> {
  // `in`, `out` and `at` are for the compiler only.
  const brand = { spec, location, bound } as TaskBrand<In, R, A>
  return Object.freeze({
    name,
    desc: spec.desc,
    '~task': brand,
    with: (input: In): Task<Name, {}, R, A> => {
      checkInputData(name, input, location)
      return makeTask(name, spec, location, input)
    },
  })
}

export function isTask(value: unknown): value is AnyTask {
  return typeof value === 'object' && value !== null && '~task' in value
}

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

// A name is typed in a shell, stands in node ids (`name{input}@stage/host`) and beside key=value.
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/

export function checkName(name: string, location: SourceLocation | undefined): void {
  // `.start` and `.end` name the ends of a task that has hooks.
  if (!NAME.test(name) || /\.(start|end)$/.test(name)) {
    throw new Problem('usage', 'TASK_INVALID', `${JSON.stringify(name)} cannot be the name of a task`, {
      location,
      hint: 'Use words of letters, digits, _ . and -, joined by colons: assets:build.',
    })
  }
}

/** @throws Problem `TASK_INVALID` (usage) about the first key that `what` cannot have */
export function checkKeys(
  what: string,
  spec: object,
  known: readonly string[],
  location: SourceLocation | undefined,
): void {
  const unknown = Object.keys(spec).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new Problem('usage', 'TASK_INVALID', `${what} has the unknown key '${unknown}'`, {
    location,
    key: unknown,
    hint: didYouMean(unknown, known) ?? `It may have: ${known.join(', ')}.`,
  })
}

export function checkAliases(name: string, aliases: unknown, location: SourceLocation | undefined): void {
  if (aliases === undefined) return
  if (!Array.isArray(aliases) || !aliases.every((alias) => typeof alias === 'string')) {
    throw new Problem('usage', 'TASK_INVALID', `the aliases of the task '${name}' are no list of names`, {
      location,
      key: 'aliases',
      hint: "Write aliases: ['other:name'].",
    })
  }
  for (const alias of aliases) checkName(alias, location)
}

function checkSpec(name: string, spec: object, location: SourceLocation | undefined): void {
  checkName(name, location)
  const keys = Object.keys(spec)
  checkKeys(`the task '${name}'`, spec, KEYS, location)
  checkAliases(name, (spec as ErasedInput).aliases, location)
  if (typeof (spec as { run?: unknown }).run !== 'function') {
    throw new Problem('usage', 'TASK_INVALID', `the task '${name}' has no run function`, {
      location,
      hint: `Give it one, or use group('${name}', { … }) for a task that only gathers others.`,
    })
  }
  const { preview } = spec as ErasedInput
  if (preview !== undefined && preview !== (true as unknown) && typeof preview !== 'function') {
    throw new Problem(
      'usage',
      'TASK_INVALID',
      `preview of the task '${name}' is ${JSON.stringify(preview)}`,
      {
        location,
        key: 'preview',
        hint: 'Write preview: true, where a dry run may enter run, or a function that gives the same result.',
      },
    )
  }
  // The type of `undo`'s result is inferred from `run`, which the compiler must have read first.
  if (keys.includes('undo') && keys.indexOf('undo') < keys.indexOf('run')) {
    throw new Problem('usage', 'TASK_INVALID', `in the task '${name}', undo stands above run`, {
      location,
      key: 'undo',
      hint: 'Move it below run.',
    })
  }
}
