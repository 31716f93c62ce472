import type { Catalog } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import type { AnyTask } from '../task/task.ts'
import { addDraftNode, NO_NEEDS, type Draft, type DraftNode } from './draft.ts'
import { isLive, type Instance } from './instance.ts'
import { instanceKey, placeId } from './node-id.ts'
import type { NodeKind, PlanNode } from './plan.ts'

/** Instances by `name{input}`. */
export type Instances = ReadonlyMap<string, Instance>

/** The hooks of an instance that really are in the plan, in the order of the config. */
export function plannedHooks(
  instances: Instances,
  hooks: readonly AnyTask[] | undefined,
): readonly Instance[] {
  return (hooks ?? []).flatMap((hook) => {
    const planned = instances.get(instanceKey(hook.name, hook['~task'].bound))
    return planned && planned.places.length > 0 ? [planned] : []
  })
}

/** Adds the nodes of an instance: a body for each place, and start and end around it where hooks stand. */
export function addNodes(draft: Draft, catalog: Catalog, instances: Instances, instance: Instance): void {
  const hooked = isLive(instance) && isHooked(catalog, instances, instance.task.name)
  const add = nodeMaker(draft, instance)
  const bodies: DraftNode[] = []
  const [starts, ends]: [DraftNode[], DraftNode[]] = hooked ? [[], []] : [bodies, bodies]
  for (const host of instance.places) {
    const skip = instance.skipped.get(host)
    const start = hooked && skip === undefined ? add(host, 'start') : undefined
    const body = add(host, 'task', skip)
    bodies.push(body)
    if (!hooked) continue
    starts.push(start ?? body)
    ends.push(start ? add(host, 'end') : body)
  }
  draft.placed.set(instance.key, { instance, starts, bodies, ends, outputs: undefined })
}

function isHooked({ before, after }: Catalog, instances: Instances, name: string): boolean {
  return [before, after].some((table) => plannedHooks(instances, table.get(name)).length > 0)
}

function nodeMaker(
  draft: Draft,
  instance: Instance,
): (host: Host | undefined, kind: NodeKind, skip?: string) => DraftNode {
  const { key, spec, task, input } = instance
  const { name: stage } = instance.stage.stage
  // What all of its nodes have in common is made once, too.
  const locks =
    spec.run !== undefined && spec.lock !== undefined ? [...new Set([spec.lock].flat())].sort() : undefined
  return (host, kind, skip) => {
    const milestone = kind !== 'task' || spec.run === undefined
    const id = placeId(kind === 'task' ? key : `${key}.${kind}`, stage, host?.name)
    const common = {
      effect: milestone ? 'read' : (spec.effect ?? 'write'),
      needs: NO_NEEDS,
      milestone,
    } as const
    const node: { -readonly [K in keyof PlanNode]: PlanNode[K] } = host
      ? { id, kind, task: task.name, stage, host: host.name, ...common }
      : { id, kind, task: task.name, stage, ...common }
    if (spec.input !== undefined && kind === 'task') node.input = input
    if (skip !== undefined) node.skip = skip
    if (locks && kind === 'task') node.locks = locks
    return addDraftNode(draft, node)
  }
}

/** What a person should know of instances that have no place. */
export function noteNowhere(draft: Draft, { task, spec, nowhere, hookOf }: Instance): void {
  if (nowhere === undefined) return
  if (spec.onNoHost !== 'skip' && hookOf === undefined) return
  const what =
    hookOf === undefined ? `'${task.name}' is left out` : `the hook '${task.name}' of '${hookOf}' is dropped`
  draft.notes.push(`${what}: ${nowhere}`)
}
