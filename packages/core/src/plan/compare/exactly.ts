import { canonicalJson } from '../node-id.ts'
import { explain } from '../order.ts'
import { own, shown } from './outline.ts'
import type { Plan, PlanEdge } from '../plan.ts'

/** Node for node and edge for edge, what is ours as well: the last word on whether two plans are the same. */
export function exactChanges(before: Plan, after: Plan): readonly string[] {
  return [
    ...differing(idsOf(before), idsOf(after), (id) => `'${id}'`, 'in the plan'),
    ...differing(edgesOf(before), edgesOf(after), showEdge, 'an order of the plan'),
    ...listChanges(before, after),
    ...inputChanges(before.from.inputs, after.from.inputs),
    ...(canonicalJson(before.requested) === canonicalJson(after.requested)
      ? []
      : [`Requested was ${shown(before.requested)}, and now ${shown(after.requested)}.`]),
  ]
}

function idsOf({ nodes, onFailure }: Plan): ReadonlyMap<string, string> {
  return new Map([...nodes, ...(onFailure?.nodes ?? [])].map(({ id }) => [id, id]))
}

function edgesOf({ edges, onFailure }: Plan): ReadonlyMap<string, PlanEdge> {
  return new Map([...edges, ...(onFailure?.edges ?? [])].map((edge) => [showEdge(edge), edge]))
}

function showEdge({ from, to, kind, reason }: PlanEdge): string {
  const how = kind === 'settled' ? ', however it ends' : ''
  return `'${from}' before '${to}' (${explain(reason)})${how}`
}

function differing<V>(
  before: ReadonlyMap<string, V>,
  after: ReadonlyMap<string, V>,
  name: (value: V) => string,
  what: string,
): readonly string[] {
  return [
    ...[...before].flatMap(([key, value]) =>
      after.has(key) ? [] : [`${name(value)} is no longer ${what}.`],
    ),
    ...[...after].flatMap(([key, value]) => (before.has(key) ? [] : [`${name(value)} is now ${what}.`])),
  ]
}

function listChanges({ perHost: before = {} }: Plan, { perHost: after = {} }: Plan): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) =>
    canonicalJson(own(before, key) ?? null) === canonicalJson(own(after, key) ?? null)
      ? []
      : [`The hosts whose results of '${key}' are read are others, or in another order.`],
  )
}

type Inputs = Plan['from']['inputs']

function inputChanges(before: Inputs, after: Inputs): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) =>
    own(before, key) === own(after, key)
      ? []
      : [`The input ${key} was ${shown(own(before, key))} and is now ${shown(own(after, key))}.`],
  )
}
