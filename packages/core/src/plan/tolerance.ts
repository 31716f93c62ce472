import type { Catalog } from '../config/catalog.ts'
import { readNeed } from '../task/needs.ts'
import { mostFailing } from '../task/rolling.ts'
import { indexOf, type Draft, type Placed } from './draft.ts'
import { isLive } from './instance.ts'
import { instanceKey } from './node-id.ts'
import { plannedHooks, type Instances } from './nodes.ts'

/**
 * Says of the hosts of each task with `rolling.maxFail` how many may fail: on their bodies, and on hooks in a host's own chain, so that
 * a health check that fails counts its host. Not on a hook that somebody else relies on: it would pass there what nobody may.
 */
export function addTolerances(
  draft: Draft,
  catalog: Catalog,
  instances: Instances,
  requested: readonly string[],
): void {
  const rolling = [...draft.placed.values()].filter(
    ({ instance }) => instance.spec.rolling?.maxFail !== undefined,
  )
  if (rolling.length === 0) return
  const relied = new Set([...requested, ...neededBy(draft)])
  const owners = hooksBy(draft, catalog, instances)
  for (const placed of rolling) {
    const own = owners.filter(({ of }) => of === placed).map(({ hook }) => hook)
    const alone = own.filter(
      (hook) =>
        hook.instance.spec.onError !== 'warn' &&
        !relied.has(hook.instance.key) &&
        !owners.some((other) => other.hook === hook && other.of !== placed),
    )
    addTolerance(placed, alone)
  }
}

function addTolerance({ instance, bodies }: Placed, hooks: readonly Placed[]): void {
  const { rolling } = instance.spec
  const runs = bodies.filter((_, place) => !instance.skipped.has(instance.places[place]))
  const max = rolling && mostFailing(rolling, runs.length)
  if (max === undefined) return
  const tolerance = { group: instance.key, max }
  for (const { node } of runs) node.tolerance = tolerance
  for (const hook of hooks) {
    for (const [at, host] of hook.instance.places.entries()) {
      const place = indexOf(instance, host)
      const body = hook.bodies[at]
      if (place !== undefined && body && runs.some((own) => own === bodies[place]))
        body.node.tolerance = tolerance
    }
  }
}

function neededBy({ placed }: Draft): readonly string[] {
  return [...placed.values()].flatMap(({ instance }) =>
    isLive(instance)
      ? Object.values(instance.spec.needs).flatMap((value) => {
          const { task, optional } = readNeed(value)
          return optional ? [] : [instanceKey(task.name, task['~task'].bound)]
        })
      : [],
  )
}

interface Hooked {
  readonly hook: Placed
  readonly of: Placed
}

function hooksBy(draft: Draft, { before, after }: Catalog, instances: Instances): readonly Hooked[] {
  return [before, after].flatMap((table) =>
    [...table].flatMap(([name, hooks]) =>
      [...draft.placed.values()]
        .filter(({ instance }) => instance.task.name === name && isLive(instance))
        .flatMap((of) =>
          plannedHooks(instances, hooks).flatMap(({ key }) => {
            const hook = draft.placed.get(key)
            return hook ? [{ hook, of }] : []
          }),
        ),
    ),
  )
}
