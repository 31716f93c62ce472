import type { Catalog } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import type { AnyTask } from '../task/task.ts'
import type { Draft } from './draft.ts'
import { isLive, type Instance } from './instance.ts'
import { instanceKey, placeId } from './node-id.ts'
import type { Binding, NodeKind } from './plan.ts'

/** The hooks of an instance that really are in the plan, in the order of the config. */
export function plannedHooks(
  draft: Draft,
  instance: Instance,
  hooks: readonly AnyTask[] | undefined,
): readonly Instance[] {
  return (hooks ?? []).flatMap((hook) => {
    const planned = draft.instances.get(instanceKey(hook.name, hook['~task'].bound))
    return planned && planned.places.length > 0 ? [planned] : []
  })
}

/** Adds the nodes of an instance: a body for each place, and start and end around it where hooks stand. */
export function addNodes(draft: Draft, catalog: Catalog, instance: Instance): void {
  const { task, spec } = instance
  const hooks = [catalog.before, catalog.after].flatMap((table) =>
    plannedHooks(draft, instance, table.get(task.name)),
  )
  const hooked = isLive(instance) && hooks.length > 0
  for (const host of instance.places) {
    const skip = instance.skipped.get(host)
    if (hooked && skip === undefined) addNode(draft, instance, host, 'start')
    addNode(draft, instance, host, 'task', skip)
    if (hooked && skip === undefined) addNode(draft, instance, host, 'end')
  }
  if (instance.places.length === 0) {
    const why = `the stage '${instance.stage.stage.name}' has no host for it`
    const what =
      instance.hookOf === undefined
        ? `'${task.name}' is left out`
        : `the hook '${task.name}' of '${instance.hookOf}' is dropped`
    if (spec.onNoHost === 'skip' || instance.hookOf !== undefined) draft.notes.push(`${what}: ${why}`)
  }
}

function addNode(
  draft: Draft,
  instance: Instance,
  host: Host | undefined,
  kind: NodeKind,
  skip?: string,
): void {
  const { spec, task, stage, input } = instance
  const suffix = kind === 'task' ? '' : `.${kind}`
  const id = placeId(`${instance.key}${suffix}`, stage.stage.name, host?.name)
  const milestone = kind !== 'task' || spec.run === undefined
  draft.nodes.set(id, {
    id,
    kind,
    task: task.name,
    stage: stage.stage.name,
    ...(host && { host: host.name }),
    ...(spec.input !== undefined && kind === 'task' && { input }),
    effect: milestone ? 'read' : (spec.effect ?? 'write'),
    ...(skip !== undefined && { skip }),
    needs: {},
    ...(!milestone && spec.lock !== undefined && { locks: [...new Set([spec.lock].flat())].sort() }),
    milestone,
  })
}

/** Notes which nodes give a body the values of its needs. */
export function bindNeeds(draft: Draft, id: string, needs: Readonly<Record<string, Binding>>): void {
  const node = draft.nodes.get(id)
  if (node) draft.nodes.set(id, { ...node, needs })
}
