import { comparePlans, type Plan, type PlanEdge, type PlanNode } from '@deployfile/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomPlan } from '../random-plan.ts'

/** As a journal gives it back. */
function recorded(plan: Plan): Plan {
  return JSON.parse(JSON.stringify(plan)) as Plan
}

test('a plan does not differ from itself as JSON', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(randomPlan, (plan) => {
      expect(comparePlans(recorded(plan), plan)).toEqual([])
    }),
    { numRuns: 100 },
  )
})

type Changed = readonly [changed: Plan, name: string] | undefined

/** One change each, with a name that must be told; undefined where the plan has nothing of the sort. */
const CHANGES: Readonly<Record<string, (plan: Plan, pick: number) => Changed>> = {
  'a node is gone': (plan, pick) => {
    const gone = at(plan.nodes, pick)
    const edges = plan.edges.filter(({ from, to }) => from !== gone?.id && to !== gone?.id)
    return gone && [{ ...plan, nodes: plan.nodes.filter((node) => node !== gone), edges }, nameOf(gone)]
  },
  'a node is renamed': (plan, pick) => {
    const old = at(plan.nodes, pick)
    const id = `x${old?.id ?? ''}`
    const edges = plan.edges.map((edge) => ({
      ...edge,
      from: edge.from === old?.id ? id : edge.from,
      to: edge.to === old?.id ? id : edge.to,
    }))
    const nodes = plan.nodes.map((node) => (node === old ? { ...node, id } : node))
    return old && [{ ...plan, nodes, edges }, nameOf(old)]
  },
  'a field': (plan, pick) => {
    const old = at(plan.nodes, pick)
    const change: Partial<PlanNode> = [
      { effect: 'destroy' as const },
      { skip: 'changed' },
      { locks: ['changed'] },
      { wait: 4711 },
      { input: { changed: true } },
      { milestone: old?.milestone === false },
      { tolerance: { group: 'changed', max: 1 } },
    ][pick % 7]!
    return old && [withNode(plan, old, { ...old, ...change }), old.task]
  },
  'a need': (plan, pick) => {
    const old = at(
      plan.nodes.filter((node) => Object.keys(node.needs).length > 0),
      pick,
    )
    const key = Object.keys(old?.needs ?? {})[0] ?? ''
    const other = { kind: old?.needs[key]?.kind === 'none' ? 'one' : 'none', node: 'last' } as const
    return old && [withNode(plan, old, { ...old, needs: { ...old.needs, [key]: other } }), `needs.${key}`]
  },
  'an edge is gone': (plan, pick) => {
    const gone = at(plan.edges, pick)
    return gone && [{ ...plan, edges: plan.edges.filter((edge) => edge !== gone) }, taskOf(plan, gone.to)]
  },
  'an edge is new': (plan, pick) => {
    const [from, to] = [at(plan.nodes, pick), at(plan.nodes, pick >> 3)]
    if (!from || !to) return undefined
    const edge: PlanEdge = {
      from: from.id,
      to: to.id,
      kind: 'success',
      reason: { type: 'need', key: 'changed' },
    }
    return [{ ...plan, edges: [...plan.edges, edge] }, to.task]
  },
  'the kind of an edge': (plan, pick) => {
    const old = at(plan.edges, pick)
    const kind = old?.kind === 'success' ? 'settled' : 'success'
    const edges = plan.edges.map((edge) => (edge === old ? { ...edge, kind } : edge)) as readonly PlanEdge[]
    return old && [{ ...plan, edges }, taskOf(plan, old.to)]
  },
  'a host': (plan, pick) => {
    const [name, host] = at(Object.entries(plan.hosts), pick) ?? []
    if (name === undefined || !host) return undefined
    const change = [{ address: 'changed' }, { port: 4711 }, { user: 'changed' }, { root: '/' }, { roles: [] }]
    return [{ ...plan, hosts: { ...plan.hosts, [name]: { ...host, ...change[pick % 5] } } }, name]
  },
  'what was asked for': (plan) => [
    { ...plan, from: { ...plan.from, tasks: [{ name: 'changed' }] } },
    'changed',
  ],
  'an input that was given': (plan) => [
    { ...plan, from: { ...plan.from, inputs: { changed: 'x' } } },
    'changed',
  ],
  'the stage': (plan) => [{ ...plan, stage: 'changed' }, 'changed'],
  'whose results are read': (plan, pick) => {
    const [key, hosts] = at(Object.entries(plan.perHost ?? {}), pick) ?? []
    if (key === undefined || !hosts) return undefined
    return [{ ...plan, perHost: { ...plan.perHost, [key]: hosts.slice(1) } }, key]
  },
  'what only a failure runs': (plan) => [
    { ...plan, onFailure: plan.onFailure ? undefined : { nodes: [failureNode], edges: [] } },
    'tell',
  ],
}

const failureNode: PlanNode = {
  ...{ id: 'tell', kind: 'task', task: 'tell', stage: 'production' },
  ...{ effect: 'read', needs: {}, milestone: false },
}

// A join is told by what waits for it.
function nameOf({ kind, task }: PlanNode): string {
  return kind === 'join' ? '' : task
}

function at<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % list.length]
}

function taskOf({ nodes }: Plan, id: string): string {
  return nodes.find((node) => node.id === id)?.task ?? id
}

function withNode(plan: Plan, old: PlanNode, made: PlanNode): Plan {
  return { ...plan, nodes: plan.nodes.map((node) => (node === old ? made : node)) }
}

test.each(Object.keys(CHANGES))(
  'one change is told, and what it concerns is named: %s',
  { timeout: 60_000 },
  (title) => {
    fc.assert(
      fc.property(randomPlan, fc.nat(4096), fc.boolean(), (plan, pick, isNow) => {
        const [changed, name] = CHANGES[title]!(plan, pick) ?? []
        fc.pre(changed !== undefined)
        const told = isNow ? comparePlans(recorded(plan), changed) : comparePlans(recorded(changed), plan)
        expect(told).not.toEqual([])
        expect(told.join('\n')).toContain(name)
        for (const sentence of told) expect(sentence).toMatch(/\.$/)
      }),
      { numRuns: 50 },
    )
  },
)
