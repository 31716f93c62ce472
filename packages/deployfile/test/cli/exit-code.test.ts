import type { NodeStatus, Plan, ProblemKind, RunOutcome } from '@deployfile/core'
import { expect, it } from 'vitest'
import { exitCode } from '../../src/cli/exit-code.ts'

interface Node {
  readonly effect: 'read' | 'write' | 'destroy'
  readonly status: NodeStatus
  readonly failed?: ProblemKind
  readonly milestone?: boolean
}

function run(
  nodes: readonly Node[],
  status: RunOutcome['status'] = 'failed',
): { plan: Plan; outcome: RunOutcome } {
  const named = nodes.map((node, index) => ({ ...node, id: `n${String(index)}` }))
  const plan: Plan = {
    stage: 'dev',
    requested: [],
    from: { stage: 'dev', tasks: [], inputs: {} },
    hosts: {},
    edges: [],
    notes: [],
    nodes: named.map(({ id, effect, milestone = false }) => ({
      id,
      kind: 'task',
      task: id,
      stage: 'dev',
      effect,
      needs: {},
      milestone,
    })),
  }
  const failures = named.flatMap(({ id, failed }) =>
    failed ? [{ node: id, phase: 'run' as const, problem: { code: 'X', kind: failed, message: 'x' } }] : [],
  )
  return {
    plan,
    outcome: {
      status,
      failures,
      nodes: new Map(named.map(({ id, status: ended }) => [id, { status: ended }])),
    },
  }
}

const read = (status: NodeStatus, failed?: ProblemKind): Node => ({
  effect: 'read',
  status,
  ...(failed && { failed }),
})
const write = (status: NodeStatus, failed?: ProblemKind): Node => ({
  effect: 'write',
  status,
  ...(failed && { failed }),
})

it.each<[string, readonly Node[], number]>([
  ['a check failed before anything else', [read('failed', 'check'), write('blocked')], 3],
  [
    'a check failed on one host and went well on the other',
    [read('done'), read('failed', 'check'), write('blocked')],
    3,
  ],
  ['the first host of a task could not be reached', [write('failed', 'check'), write('blocked')], 3],
  ['no host of a task could be reached', [write('failed', 'check'), write('failed', 'check')], 3],
  ['one host could not be reached, the other was changed', [write('failed', 'check'), write('done')], 1],
  [
    'one host could not be reached, the other was stopped on the way',
    [write('failed', 'check'), write('cancelled')],
    1,
  ],
  ['a check failed after something was done', [write('done'), read('failed', 'check')], 1],
  ['a check failed after something had only warned', [write('warned'), read('failed', 'check')], 1],
  ['a check failed after something skipped itself', [write('skipped'), read('failed', 'check')], 3],
  ['a check failed beside milestones', [{ ...write('done'), milestone: true }, read('failed', 'check')], 3],
  ['a command of a check failed, which is no check problem', [read('failed', 'task'), write('blocked')], 1],
  ['a task failed', [read('done'), write('failed', 'task')], 1],
  ['a task failed first, a check after it', [write('failed', 'task'), read('failed', 'check')], 1],
  ['nothing failed, but it did not end either', [write('blocked')], 1],
])('%s: %#', (_, nodes, expected) => {
  const { plan, outcome } = run(nodes)
  expect(exitCode(plan, outcome)).toBe(expected)
})

it('is 0 when done, also when a signal came too late', () => {
  const { plan, outcome } = run([write('done')], 'done')
  expect(exitCode(plan, outcome)).toBe(0)
  expect(exitCode(plan, outcome, 'SIGINT')).toBe(0)
})

it.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('is %s: %i', (signal, expected) => {
  const { plan, outcome } = run([write('cancelled')], 'cancelled')
  expect(exitCode(plan, outcome, signal)).toBe(expected)
})
