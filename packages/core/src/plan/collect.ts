import type { Catalog, StageEntry } from '../config/catalog.ts'
import type { AnyTask } from '../task/task.ts'
import { parseInput, type RoutedInputs } from './inputs.ts'
import { bringsIn, isLive, makeInstance, stageOf, type Instance, type InstanceRequest } from './instance.ts'
import { instanceKey } from './node-id.ts'

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
  for (const [request, task] of requested.entries()) {
    // A stack, not recursion: chains may be thousands deep.
    const stack: InstanceRequest[] = [{ task, request, hookOf }]
    for (let wanted = stack.pop(); wanted; wanted = stack.pop()) {
      const key = instanceKey(wanted.task.name, wanted.task['~task'].bound)
      const known = instances.get(key)
      // Needed as well as hooked: then it may not be dropped for want of a host.
      if (known && (known.hookOf === undefined || wanted.hookOf !== undefined)) continue
      const input = parseInput(wanted.task, inputs.get(wanted.task.name))
      const instance = makeInstance(wanted, stageOf(catalog, wanted.task['~task'].spec, stage), input)
      instances.set(key, known ? { ...instance, request: known.request } : instance)
      if (known || !isLive(instance)) continue
      const { name } = wanted.task
      const next = bringsIn(catalog, wanted.task).map((one) => ({
        task: one.task,
        request,
        hookOf: one.hook ? name : undefined,
      }))
      stack.push(...next.reverse())
    }
  }
  return instances
}
