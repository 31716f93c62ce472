import { Problem } from '../problem/problem.ts'
import { isSecret, secretNamed } from '../secret/secret.ts'
import type { AnyTask } from '../task/task.ts'
import type { Plan } from './plan.ts'

/** A task by its name, with the input that `.with` gave it where it was asked for as a value. */
export interface RequestedTask {
  readonly name: string
  readonly input?: unknown
}

/** What a command line or a program asks for; inputs are still text, checked against the schemas of the tasks that take them. */
export interface PlanRequest {
  /** The positional stage or `stage=`; default the config's `defaultStage`. */
  readonly stage?: string | undefined
  /** Names or task values; a value is looked up by its name, and brings the input that `.with` gave it. */
  readonly tasks: readonly (string | AnyTask | RequestedTask)[]
  /** `key=value` and `task.key=value`, in order. */
  readonly inputs?: Readonly<Record<string, string>>
}

/** What a plan was made from: the same again makes the same plan, unless the config has changed. */
export interface PlanSource {
  readonly stage: string
  readonly tasks: readonly RequestedTask[]
  readonly inputs: Readonly<Record<string, string>>
}

/** The request as data, with the stage and the tasks by their own names. */
export function sourceOf(stage: string, tasks: readonly AnyTask[], request: PlanRequest): PlanSource {
  return {
    stage,
    tasks: tasks.map(({ name, '~task': { bound } }) =>
      bound === undefined ? { name } : { name, input: bound },
    ),
    inputs: request.inputs ?? {},
  }
}

/**
 * What to ask for to get this plan again, also from one that was JSON in between: secrets are looked up anew by their names.
 * @throws Problem `SECRET_UNKNOWN` (usage) for a secret that cannot be found by its name alone
 */
export function requestOf({ from }: Pick<Plan, 'from'>): PlanRequest {
  const tasks = from.tasks.map(({ name, input }): RequestedTask =>
    input === undefined ? { name } : { name, input: withSecrets(input, name) },
  )
  return { ...from, tasks }
}

function withSecrets(value: unknown, task: string): unknown {
  if (typeof value !== 'object' || value === null || isSecret(value)) return value
  if (Array.isArray(value)) return value.map((inner) => withSecrets(inner, task))
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0] === '$secret' && typeof first[1] === 'string')
    return secretOf(first[1], task)
  return Object.fromEntries(entries.map(([key, inner]) => [key, withSecrets(inner, task)]))
}

function secretOf(name: string, task: string): unknown {
  const secret = secretNamed(name)
  if (secret) return secret
  throw new Problem(
    'usage',
    'SECRET_UNKNOWN',
    `the secret '${name}' in the input of '${task}' cannot be found again by its name`,
    { hint: `Start a new run, and give '${task}' its input there.` },
  )
}
