import type { Host } from '../host/host.ts'
import { normalizeOn } from '../host/on.ts'
import { Problem } from '../problem/problem.ts'
import { readNeed, type Needs } from '../task/needs.ts'
import { addEdge, exitsOf, joinOf, nodeAt, type Draft } from './draft.ts'
import { isLive, type Instance } from './instance.ts'
import { instanceKey } from './node-id.ts'
import { bindNeeds } from './nodes.ts'
import type { Binding, HostNode } from './plan.ts'

/**
 * Edges from everything that an instance needs, and where each of its bodies finds the values (design §3, "What a dependent sees"):
 * one place gives its value; a per-host need gives its own host's to a task with `on`, all of them to one without or under `all`.
 * @throws Problem `NEED_NOT_ON_HOST` (usage) when a dependent runs on a host where its per-host need does not
 */
export function addNeedEdges(draft: Draft, instance: Instance): void {
  if (!isLive(instance)) return
  for (const host of instance.places) {
    if (instance.skipped.has(host)) continue
    const entry = nodeAt(draft, instance, host, 'entry')
    const bindings: Record<string, Binding> = {}
    for (const [key, need] of Object.entries(instance.spec.needs)) {
      const { from, binding } = locate(draft, instance, host, key, need)
      bindings[key] = binding
      if (from !== undefined) addEdge(draft, from, entry, { type: 'need', key })
    }
    bindNeeds(draft, nodeAt(draft, instance, host, 'body'), bindings)
  }
}

interface Located {
  /** The node to wait for; undefined when the need is not planned. */
  readonly from: string | undefined
  readonly binding: Binding
}

function locate(
  draft: Draft,
  instance: Instance,
  host: Host | undefined,
  key: string,
  need: Needs[string],
): Located {
  const { task, all } = readNeed(need)
  const needed = draft.instances.get(instanceKey(task.name, task['~task'].bound))
  if (!needed) return { from: undefined, binding: { kind: 'none' } }
  if (!isPerHost(needed)) {
    const [place] = needed.places
    if (needed.places.length === 0) return { from: undefined, binding: { kind: 'none' } }
    return {
      from: nodeAt(draft, needed, place, 'exit'),
      binding: { kind: 'one', node: nodeAt(draft, needed, place, 'body') },
    }
  }
  if (host === undefined || all) {
    if (!draft.perHost.has(needed.key)) draft.perHost.set(needed.key, bodiesOf(draft, needed))
    const from = needed.places.length === 0 ? undefined : joinOf(draft, 'all', needed, exitsOf(draft, needed))
    return { from, binding: { kind: 'each', of: needed.key } }
  }
  const own = needed.places.find((place) => place?.name === host.name && place.stage === host.stage)
  if (!own) throw notOnHost(instance, host, key, needed)
  return {
    from: nodeAt(draft, needed, own, 'exit'),
    binding: { kind: 'one', node: nodeAt(draft, needed, own, 'body') },
  }
}

function bodiesOf(draft: Draft, instance: Instance): readonly HostNode[] {
  return instance.places.flatMap((place) =>
    place ? [{ host: place.name, node: nodeAt(draft, instance, place, 'body') }] : [],
  )
}

function isPerHost(instance: Instance): boolean {
  const { on } = instance.spec
  return on !== undefined && normalizeOn(on).pick !== 'primary'
}

function notOnHost(instance: Instance, host: Host, key: string, needed: Instance): Problem {
  const { name } = instance.task
  return new Problem(
    'usage',
    'NEED_NOT_ON_HOST',
    `'${name}' runs on ${host.name} where '${needed.task.name}' does not`,
    {
      location: instance.task['~task'].location,
      key,
      hint: `Read every host's result instead, needs: { ${key}: all(${key}) }, or let both run on the same hosts.`,
    },
  )
}
