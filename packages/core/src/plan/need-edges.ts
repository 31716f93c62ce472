import type { Host } from '../host/host.ts'
import { normalizeOn } from '../host/on.ts'
import { Problem } from '../problem/problem.ts'
import { readNeed } from '../task/needs.ts'
import type { Needs } from '../task/task.ts'
import { addEdge, allEndsOf, indexOf, outputsOf, type Draft, type Output, type Placed } from './draft.ts'
import { isLive, type Instance } from './instance.ts'
import { instanceKey } from './node-id.ts'
import type { Binding, EdgeReason, HostNode } from './plan.ts'

/**
 * Edges from everything that an instance needs, and where each of its bodies finds the values (design §3, "What a dependent sees"):
 * one place gives its value; a per-host need gives its own host's to a task with `on`, all of them to one without or under `all`.
 * @throws Problem `NEED_NOT_ON_HOST` (usage) when a dependent runs on a host where its per-host need does not
 */
export function addNeedEdges(draft: Draft, placed: Placed): void {
  const { instance, starts, bodies } = placed
  const needs = Object.keys(instance.spec.needs)
  if (needs.length === 0 || !isLive(instance)) return
  const located = needs.map((key) => locate(draft, instance, key, instance.spec.needs[key] as Needs[string]))
  // A thousand hosts that read the same have one object that says so.
  const shared = located.every(({ at }) => at.length === 1) ? bindingsOf(located, 0) : undefined
  for (const [place, body] of bodies.entries()) {
    if (instance.skipped.has(instance.places[place])) continue
    const start = starts[place] ?? body
    for (const { reason, at } of located) {
      const from = (at[place] ?? at[0])?.from
      if (from) addEdge(from, start, reason)
    }
    body.node.needs = shared ?? bindingsOf(located, place)
  }
}

interface Located {
  readonly key: string
  readonly reason: EdgeReason
  /** By place of the dependent; a single entry is the same for all places. */
  readonly at: readonly Output[]
}

const NOTHING: readonly Output[] = [{ from: undefined, binding: { kind: 'none' } }]

function locate(draft: Draft, instance: Instance, key: string, need: Needs[string]): Located {
  const reason = { type: 'need', key } as const
  const { task, all } = readNeed(need)
  const needed = draft.placed.get(instanceKey(task.name, task['~task'].bound))
  if (!needed) return { key, reason, at: NOTHING }
  if (!isPerHost(needed.instance)) return { key, reason, at: anyOf(outputsOf(needed)) }
  const isHere = instance.spec.on === undefined
  if (!isHere && !all) return { key, reason, at: ownHosts(instance, key, needed) }
  const { key: of } = needed.instance
  if (!draft.perHost.has(of)) draft.perHost.set(of, bodiesOf(needed))
  const from = allEndsOf(draft, needed)
  return { key, reason, at: [{ from, binding: { kind: 'each', of } }] }
}

function anyOf(outputs: readonly Output[]): readonly Output[] {
  return outputs.length === 0 ? NOTHING : outputs
}

function ownHosts(instance: Instance, key: string, needed: Placed): readonly Output[] {
  const outputs = outputsOf(needed)
  // Most often both run on the same hosts, by one list.
  if (needed.instance.places === instance.places) return anyOf(outputs)
  return instance.places.map((host) => {
    const index = indexOf(needed.instance, host)
    const output = index === undefined ? NOTHING[0] : outputs[index]
    if (!output || !host) throw new Error(`'${instance.key}' has no host to read '${key}' on`)
    if (index !== undefined || instance.skipped.has(host)) return output
    throw notOnHost(instance, host, key, needed.instance)
  })
}

function bindingsOf(located: readonly Located[], place: number): Readonly<Record<string, Binding>> {
  const bindings: Record<string, Binding> = {}
  for (const { key, at } of located) {
    const output = at[place] ?? at[0]
    if (output) bindings[key] = output.binding
  }
  return bindings
}

function bodiesOf({ instance: { places }, bodies }: Placed): readonly HostNode[] {
  return places.flatMap((place, index) => {
    const body = bodies[index]
    return place && body ? [{ host: place.name, node: body.node.id }] : []
  })
}

function isPerHost({ spec: { on } }: Instance): boolean {
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
