import type { Catalog, StageEntry } from '../config/catalog.ts'
import type { AnyTask } from '../task/task.ts'
import { bringsIn, type BroughtIn } from './brings-in.ts'
import { parseInput, type RoutedInputs } from './inputs.ts'
import { isLive, makeInstance, stageOf, type Instance, type InstanceRequest } from './instance.ts'
import { instanceKey } from './node-id.ts'
import { isSkipped, skipNeeded, type Filter } from './filter.ts'
import { noHost, placeFinder, whyNowhere } from './places.ts'

/**
 * What is really planned for some tasks, in the order in which it came in. `hookOf` is set when they stand in a place of the config
 * and were not asked for: they may then be dropped for want of a host.
 */
export function collectInstances(
  catalog: Catalog,
  requested: readonly AnyTask[],
  stage: StageEntry,
  inputs: RoutedInputs,
  filter: Filter,
  hookOf?: string,
): ReadonlyMap<string, Instance> {
  const instances = new Map<string, Instance>()
  const placesOf = placeFinder(filter)
  for (const [request, task] of requested.entries()) {
    // A stack, not recursion: chains may be thousands deep.
    const stack: InstanceRequest[] = [{ task, request, hookOf }]
    for (let wanted = stack.pop(); wanted; wanted = stack.pop()) {
      const { name, '~task': brand } = wanted.task
      const key = instanceKey(name, brand.bound)
      const known = instances.get(key)
      // Needed as well as hooked: then it may not be dropped for want of a host.
      if (known && (known.hookOf === undefined || wanted.hookOf !== undefined)) continue
      if (known && known.places.length > 0) {
        instances.set(key, { ...known, hookOf: undefined })
        continue
      }
      const own = stageOf(catalog, brand.spec, stage)
      const { places, without } = placesOf(brand.spec.on, own)
      if (places.length === 0 && brand.spec.onNoHost !== 'skip' && wanted.hookOf === undefined)
        throw noHost(wanted.task, own, without, filter, requested.includes(wanted.task))
      const input = parseInput(wanted.task, inputs.get(name))
      const nowhere = places.length === 0 ? whyNowhere(own, without, filter) : undefined
      const instance = makeInstance(wanted, own, places, input, nowhere)
      instances.set(key, instance)
      if (!isLive(instance)) continue
      const brought = withoutSkipped(bringsIn(catalog, wanted.task), wanted.task, filter)
      // Backwards: what is needed first is taken from the stack first.
      for (let index = brought.length - 1; index >= 0; index--) {
        const one = brought[index]
        if (one) stack.push({ task: one.task, request, hookOf: one.hook ? name : undefined })
      }
    }
  }
  return instances
}

/** @throws Problem `SKIP_NEEDED` (usage) when a body relies on what is skipped; groups and hooks go without */
function withoutSkipped(brought: readonly BroughtIn[], task: AnyTask, filter: Filter): readonly BroughtIn[] {
  if (filter.skip.size === 0) return brought
  return brought.filter((one) => {
    if (!isSkipped(filter, one.task)) return true
    if (!one.hook && task['~task'].spec.run) throw skipNeeded(task, one.task)
    return false
  })
}
