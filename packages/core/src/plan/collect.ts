import type { Catalog, StageEntry } from '../config/catalog.ts'
import type { AnyTask } from '../task/task.ts'
import { bringsIn } from './brings-in.ts'
import { parseInput, type RoutedInputs } from './inputs.ts'
import { isLive, makeInstance, stageOf, type Instance, type InstanceRequest } from './instance.ts'
import { instanceKey } from './node-id.ts'
import { noHost, placeFinder } from './places.ts'

/**
 * What is really planned for some tasks, in the order in which it came in. `hookOf` is set when they stand in a place of the config
 * and were not asked for: they may then be dropped for want of a host.
 */
export function collectInstances(
  catalog: Catalog,
  requested: readonly AnyTask[],
  stage: StageEntry,
  inputs: RoutedInputs,
  hookOf?: string,
): ReadonlyMap<string, Instance> {
  const instances = new Map<string, Instance>()
  const placesOf = placeFinder()
  for (const [request, task] of requested.entries()) {
    // A stack, not recursion: chains may be thousands deep.
    const stack: InstanceRequest[] = [{ task, request, hookOf }]
    for (let wanted = stack.pop(); wanted; wanted = stack.pop()) {
      const { name, '~task': brand } = wanted.task
      const key = instanceKey(name, brand.bound)
      const known = instances.get(key)
      // Needed as well as hooked: then it may not be dropped for want of a host.
      if (known && (known.hookOf === undefined || wanted.hookOf !== undefined)) continue
      const own = stageOf(catalog, brand.spec, stage)
      const places = known?.places ?? placesOf(brand.spec.on, own)
      if (places.length === 0 && brand.spec.onNoHost !== 'skip' && wanted.hookOf === undefined)
        throw noHost(wanted.task, own)
      if (known) {
        instances.set(key, { ...known, hookOf: undefined })
        continue
      }
      const instance = makeInstance(wanted, own, places, parseInput(wanted.task, inputs.get(name)))
      instances.set(key, instance)
      if (!isLive(instance)) continue
      const brought = bringsIn(catalog, wanted.task)
      // Backwards: what is needed first is taken from the stack first.
      for (let index = brought.length - 1; index >= 0; index--) {
        const one = brought[index]
        if (one) stack.push({ task: one.task, request, hookOf: one.hook ? name : undefined })
      }
    }
  }
  return instances
}
