import type { CommandEvent, NodeStatus, Plan, PlanNode, RunEventBody } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { saidLines, stateOf, treeRows, type Rows } from '../../src/render/tree-rows.ts'
import { visibleRows } from '../../src/render/tree-window.ts'

const node = (task: string, host?: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id: host === undefined ? task : `${task}@dev/${host}`,
  kind: 'task',
  task,
  stage: 'dev',
  effect: 'write',
  needs: {},
  milestone: false,
  ...(host !== undefined && { host }),
  ...more,
})

const plan = (nodes: readonly PlanNode[]): Plan => ({
  stage: 'dev',
  requested: [],
  nodes,
  from: { stage: 'dev', tasks: [], inputs: {} },
  hosts: {},
  edges: [],
  notes: [],
})

function feed(rows: Rows, ...events: readonly RunEventBody[]): void {
  for (const [index, event] of events.entries()) rows.apply({ ...event, seq: index + 1, at: 1000 + index })
}
const started = (id: string, phase: 'run' | 'undo' = 'run'): RunEventBody => ({
  type: 'node.started',
  node: id,
  phase,
})
const ended = (id: string, status: NodeStatus, phase: 'run' | 'undo' = 'run'): RunEventBody => ({
  type: 'node.ended',
  node: id,
  phase,
  status,
  durationMs: 5,
})

describe('rows', () => {
  it('say how far a task is', () => {
    const rows = treeRows(plan([node('db:backup:create', 'db1')]))
    const progress = { type: 'node.progress', node: 'db:backup:create@dev/db1', phase: 'run' } as const
    const dump = { ...progress, what: 'dump', unit: 'bytes', estimated: true, total: 48_000_000 } as const
    const at = (event: RunEventBody, milliseconds: number): void =>
      rows.apply({ ...event, seq: 1, at: milliseconds })
    at({ ...dump, done: 4_000_000 }, 1000)
    expect(rows.list[0]?.last).toBe('dump: 4.0 MB of ~48.0 MB (~8%)')
    at({ ...dump, done: 12_000_000 }, 3000)
    expect(rows.list[0]?.last).toBe('dump: 12.0 MB of ~48.0 MB (~25%)  4.0 MB/s  ~00:09 left')
    at({ ...progress, done: 3, total: 9, unit: 'files' }, 4000)
    expect(rows.list[0]?.last).toBe('3 of 9 files')
  })

  it('are one a task, with its hosts, without milestones and the inner nodes of hooks', () => {
    const rows = treeRows(
      plan([
        node('build'),
        node('release', 'web1'),
        node('release', 'web2'),
        node('deploy:updated', undefined, { milestone: true }),
        node('x', undefined, { kind: 'join', id: 'x.join' }),
      ]),
    )
    expect(rows.list.map(({ label, hosts }) => ({ label, hosts }))).toEqual([
      { label: 'build', hosts: [''] },
      { label: 'release', hosts: ['web1', 'web2'] },
    ])
  })

  it('tell the same task apart by its bound input', () => {
    const one = node('copy', 'web1', { id: 'copy{"to":"a@b"}@dev/web1' })
    const two = node('copy', 'web1', { id: 'copy{"to":"c"}@dev/web1' })
    expect(treeRows(plan([one, two])).list.map((row) => row.label)).toEqual([
      'copy{"to":"a@b"}',
      'copy{"to":"c"}',
    ])
  })

  it('run until the last host is over, and are then the worst of them', () => {
    const rows = treeRows(plan([node('release', 'web1'), node('release', 'web2')]))
    const [row] = rows.list
    expect(stateOf(row!)).toBe('waiting')
    feed(rows, started('release@dev/web1'), ended('release@dev/web1', 'done'))
    expect(stateOf(row!)).toBe('running')
    feed(rows, started('release@dev/web2'), ended('release@dev/web2', 'failed'))
    expect(stateOf(row!)).toBe('failed')
  })

  it.each<[NodeStatus[], string]>([
    [['done', 'skipped'], 'done'],
    [['skipped', 'skipped'], 'skipped'],
    [['done', 'warned'], 'warned'],
    [['done', 'blocked'], 'blocked'],
    [['cancelled', 'blocked'], 'cancelled'],
  ])('%j is %s', (statuses, expected) => {
    const rows = treeRows(plan(statuses.map((_, index) => node('t', `h${String(index)}`))))
    feed(rows, ...statuses.map((status, index) => ended(`t@dev/h${String(index)}`, status)))
    expect(stateOf(rows.list[0]!)).toBe(expected)
  })

  it('show undo while it runs, and how it ended', () => {
    const rows = treeRows(plan([node('release', 'web1')]))
    const id = 'release@dev/web1'
    feed(rows, started(id), ended(id, 'done'), started(id, 'undo'))
    expect(stateOf(rows.list[0]!)).toBe('undoing')
    feed(rows, ended(id, 'done', 'undo'))
    expect(stateOf(rows.list[0]!)).toBe('undone')
    const stuck = treeRows(plan([node('release', 'web1')]))
    feed(stuck, started(id), ended(id, 'done'), started(id, 'undo'), ended(id, 'failed', 'undo'))
    expect(stateOf(stuck.list[0]!)).toBe('stuck')
  })

  it('of onFailure tasks are there once these have their turn, below the others', () => {
    const after = { nodes: [node('page', 'web1'), node('page', 'web2'), node('tell')], edges: [] }
    const rows = treeRows({ ...plan([node('release', 'web1')]), onFailure: after })
    const labels = (): string[] => rows.shown().map(({ label }) => label)
    feed(rows, started('release@dev/web1'), ended('release@dev/web1', 'failed'))
    expect(labels()).toEqual(['release'])
    feed(rows, started('page@dev/web2'))
    expect(labels()).toEqual(['release', 'page'])
    feed(rows, { type: 'node.log', node: 'page@dev/web2', phase: 'run', message: 'calling' })
    const [, page] = rows.shown()
    expect(page?.last).toBe('web2: calling')
    expect(stateOf(page!)).toBe('running')
    feed(rows, ended('page@dev/web2', 'done'), ended('page@dev/web1', 'failed'), ended('tell', 'blocked'))
    expect(rows.shown().map((row) => stateOf(row))).toEqual(['failed', 'failed', 'blocked'])
  })

  it('keep the last line, with its host where there are several, without escape codes', () => {
    const rows = treeRows(plan([node('release', 'web1'), node('release', 'web2')]))
    const output = {
      type: 'command.output',
      command: 1,
      host: 'web2',
      stream: 'stdout',
      line: '\u001b[32munpacking\u001b[0m',
    } as const
    feed(rows, started('release@dev/web2'), {
      type: 'node.command',
      node: 'release@dev/web2',
      phase: 'run',
      event: output,
    })
    expect(rows.list[0]!.last).toBe('web2: unpacking')
  })
})

it('lets no escape code of a reason through', () => {
  const rows = treeRows(plan([node('release', 'web1')]))
  const skipped = { type: 'node.ended', phase: 'run', status: 'skipped', durationMs: 0 } as const
  feed(rows, { ...skipped, node: 'release@dev/web1', reason: 'it is \u001b[2Jthere' })
  expect(rows.list[0]!.reason).toBe('it is there')
})

it('keeps to itself what a task reads', () => {
  const rows = treeRows(plan([node('release', 'web1')]))
  const id = 'release@dev/web1'
  const of = (event: CommandEvent): RunEventBody => ({ type: 'node.command', node: id, phase: 'run', event })
  feed(
    rows,
    started(id),
    of({ type: 'command.started', command: 1, host: 'web1', text: 'npm ci', reads: false }),
    of({ type: 'command.started', command: 2, host: 'web1', text: 'pwd', reads: true }),
    of({ type: 'command.output', command: 2, host: 'web1', stream: 'stdout', line: '/var/www' }),
  )
  expect(rows.list[0]!.last).toBe('npm ci')
})

describe('the window', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => node(`t${String(index).padStart(3, '0')}`))
  const labels = (rows: Rows, lines: number): string[] =>
    visibleRows(rows.list, lines).map(({ row }) => row.label)

  it('shows everything where it fits', () => {
    expect(labels(treeRows(plan(hundred.slice(0, 3))), 19)).toEqual(['t000', 't001', 't002'])
  })

  it('never has more lines than it may', () => {
    const rows = treeRows(plan(hundred))
    feed(
      rows,
      ...hundred.map(({ id }) => started(id)),
      ...hundred.map(({ id }): RunEventBody => ({ type: 'node.log', node: id, phase: 'run', message: 'x' })),
    )
    for (const lines of [0, 1, 5, 19, 150]) {
      const shown = visibleRows(rows.list, lines)
      expect(shown.length + shown.filter(({ output }) => output).length).toBeLessThanOrEqual(lines)
    }
  })

  it('prefers what runs, then what failed, then the nearest of the past and the future, in plan order', () => {
    const rows = treeRows(plan(hundred))
    const over = hundred
      .slice(0, 50)
      .flatMap(({ id }) => [started(id), ended(id, id === 't003' ? 'failed' : 'done')])
    feed(rows, ...over, started('t050'), started('t051'))
    expect(labels(rows, 9)).toEqual(['t003', 't047', 't048', 't049', 't050', 't051', 't052', 't053', 't054'])
  })
})

describe('what stays of what was said', () => {
  const said = (id: string, message: string, phase: 'run' | 'undo' | 'finally' = 'run'): RunEventBody => ({
    type: 'node.log',
    node: id,
    phase,
    message,
  })

  it('is all of the tasks that were asked for, and the words of one host of the others', () => {
    const nodes = [
      node('find', 'web1'),
      node('restart', 'web1'),
      node('restart', 'web2'),
      node('list', 'web1'),
      node('list', 'web2'),
    ]
    const rows = treeRows({ ...plan(nodes), requested: ['list'] })
    feed(
      rows,
      said('find@dev/web1', 'master is e9da75b'),
      said('restart@dev/web1', 'touched'),
      said('list@dev/web2', 'a.pgdump'),
      said('list@dev/web1', 'b.pgdump'),
      said('find@dev/web1', 'forgotten again', 'undo'),
      said('find@dev/web1', 'the lock could not be given back', 'finally'),
    )
    expect(saidLines(rows.list)).toEqual([
      { text: 'find: master is e9da75b', asked: false },
      { text: 'find: the lock could not be given back', asked: false },
      { text: 'web2: a.pgdump', asked: true },
      { text: 'web1: b.pgdump', asked: true },
    ])
  })
})
