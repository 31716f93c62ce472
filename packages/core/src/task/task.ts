import type { Host, Stage } from '../host/host.ts'
import type { On } from '../host/on.ts'
import type { SourceLocation } from '../problem/location.ts'
import type { DoctorContext, Finding } from './finding.ts'
import { checkInputData } from './input-data.ts'
import type { Pace } from './pace.ts'
import type { Schema, SchemaOutput } from './schema.ts'

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

/** Every host's result of a per-host task, wherever the dependent runs; made by `all`. */
export interface All<Name extends string = string, R = any> {
  readonly all: Name
  readonly '~all': { readonly task: AnyTask; readonly out: R }
}

/** A need that counts only when something else plans it; made by `optional`. */
export interface Optional<T = any> {
  readonly '~optional': T
}

export type Needs = Readonly<Record<string, AnyTask | All | Optional>>

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
