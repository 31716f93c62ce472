import type { Plan } from '@deployfile/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packPlan, unpackPlan, type PackedPlan } from '../../src/journal/packed-plan.ts'
import { randomPlan } from '../plan/random-plan.ts'

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

test(
  'a plan comes back from the log as it was, and the plan itself is left alone',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(randomPlan, (plan) => {
        const before = plain(plan)
        expect(unpackPlan(plain<PackedPlan>(packPlan(plan)))).toEqual(before)
        expect(plain(plan)).toEqual(before)
      }),
      { numRuns: 100 },
    )
  },
)

/** 300 hosts, two tasks each: as long as only the host differs, all that is the same is there once. */
function wide(): Plan {
  const hosts = Array.from({ length: 300 }, (_, index) => `web${String(index)}`)
  const node = (task: string, host: string): Plan['nodes'][number] => ({
    id: `${task}@production/${host}`,
    kind: 'task',
    task,
    stage: 'production',
    host,
    effect: 'write',
    needs: task === 'build' ? {} : { build: { kind: 'one', node: `build@production/${host}` } },
    milestone: false,
  })
  return {
    stage: 'production',
    requested: ['release'],
    nodes: hosts.flatMap((host) => [node('build', host), node('release', host)]),
    edges: hosts.map((host) => ({
      from: `build@production/${host}`,
      to: `release@production/${host}`,
      kind: 'success',
      reason: { type: 'need', key: 'build' },
    })),
    hosts: {},
    notes: [],
  } as unknown as Plan
}

test('what nodes and edges have in common is there once', () => {
  const packed = packPlan(wide())
  expect(packed.kinds).toHaveLength(2)
  expect(packed.reasons).toHaveLength(1)
  expect(JSON.stringify(packed).length).toBeLessThan(JSON.stringify(wide()).length * 0.55)
})

test('reasons that differ in anything stay different', () => {
  const plan = wide()
  const [{ from, to } = { from: '', to: '' }] = plan.edges
  const reasons = [
    { type: 'need', key: 'a' },
    { type: 'need', key: 'b' },
    { type: 'before', hook: 'a', of: 'b' },
    { type: 'after', hook: 'a', of: 'b' },
    { type: 'before', hook: 'a', of: 'c' },
    { type: 'before', hook: 'a b', of: '' },
    { type: 'before', hook: 'a', of: 'b ' },
    { type: 'rolling', of: 'a' },
    { type: 'structure' },
    { type: 'command line' },
  ] as const
  const edges = reasons.flatMap((reason) =>
    (['success', 'settled', 'success'] as const).map((kind) => ({ from, to, kind, reason: { ...reason } })),
  )
  const packed = packPlan({ ...plan, edges })
  expect(packed.reasons).toHaveLength(2 * reasons.length)
  expect(unpackPlan(plain(packed)).edges).toEqual(edges)
})

test('a plan of which a part is missing is not taken for one', () => {
  const packed = plain(packPlan(wide()))
  expect(() => unpackPlan({ ...packed, kinds: [] })).toThrow(SyntaxError)
  expect(() => unpackPlan({ ...packed, reasons: [] })).toThrow(SyntaxError)
  expect(() => unpackPlan({ ...packed, edges: packed.edges.slice(0, -1) })).toThrow(SyntaxError)
})
