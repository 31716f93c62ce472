import { canonicalJson } from '../node-id.ts'
import { own, shown } from './outline.ts'
import type { Plan, PlanHost } from '../plan.ts'

const FIELDS: readonly (keyof PlanHost)[] = ['address', 'user', 'port', 'transport', 'root', 'roles']

/** Hosts that are in both plans, but are reached elsewhere or otherwise. */
export function hostChanges(before: Plan['hosts'], after: Plan['hosts']): readonly string[] {
  return Object.entries(before).flatMap(([name, was]) => {
    const is = own(after, name)
    if (!is) return []
    return FIELDS.flatMap((field) =>
      canonicalJson(was[field] ?? null) === canonicalJson(is[field] ?? null)
        ? []
        : [`The ${field} of ${name} was ${shown(was[field])} and is now ${shown(is[field])}.`],
    )
  })
}
