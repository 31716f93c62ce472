import type { Catalog } from '../config/catalog.ts'
import type { Plan } from './plan.ts'

/** What a command line asks for, still as text: inputs are checked against the schemas of the tasks that take them. */
export interface PlanRequest {
  /** The positional stage or `stage=`; default the config's `defaultStage`. */
  readonly stage?: string | undefined
  readonly tasks: readonly string[]
  /** `key=value` and `task.key=value`, in order. */
  readonly inputs?: Readonly<Record<string, string>>
}

/**
 * Makes the plan: requested tasks, what they need, and hooks. Pure; nothing is connected.
 * @throws Problem (usage) for unknown names, cycles, inputs that do not fit, and tasks that are left without a host
 */
export declare function resolvePlan(catalog: Catalog, request: PlanRequest): Plan
