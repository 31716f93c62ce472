import { reviveSecrets } from '../secret/revive.ts'
import type { AnyTask } from '../task/task.ts'
import type { Plan } from './plan.ts'
import type { PlanSource, RequestedTask } from './source.ts'

/** What a command line or a program asks for; inputs are still text, checked against the schemas of the tasks that take them. */
export interface PlanRequest {
  /** The positional stage or `stage=`; default the config's `defaultStage`. */
  readonly stage?: string | undefined
  /** Names or task values; a value is looked up by its name, and brings the input that `.with` gave it. */
  readonly tasks: readonly (string | AnyTask | RequestedTask)[]
  /** `key=value` and `task.key=value`, in order. */
  readonly inputs?: Readonly<Record<string, string>> | undefined
  /** Only these hosts of the run's stage; with `roles`, those of them that have one. Default: all. */
  readonly hosts?: readonly string[] | undefined
  /** Only hosts of the run's stage that have one of these roles. Default: all. */
  readonly roles?: readonly string[] | undefined
  /** Tasks that are not run, with their hooks and what only they need. */
  readonly skip?: readonly string[] | undefined
}

/** The request as data, with the stage and the tasks by their own names. */
export function sourceOf(stage: string, tasks: readonly AnyTask[], request: PlanRequest): PlanSource {
  const { hosts, roles, skip } = request
  return {
    stage,
    tasks: tasks.map(({ name, '~task': { bound } }) =>
      bound === undefined ? { name } : { name, input: bound },
    ),
    inputs: request.inputs ?? {},
    ...(hosts && { hosts }),
    ...(roles && { roles }),
    ...(skip && { skip }),
  }
}

/**
 * What to ask for to get this plan again, also from one that was JSON in between: secrets are looked up anew by their names.
 * @throws Problem `SECRET_UNKNOWN` (check) for a secret that the config does not have any more
 */
export function requestOf({ from }: Pick<Plan, 'from'>): PlanRequest {
  const tasks = from.tasks.map(({ name, input }): RequestedTask =>
    input === undefined ? { name } : { name, input: reviveSecrets(input) },
  )
  return { ...from, tasks }
}
