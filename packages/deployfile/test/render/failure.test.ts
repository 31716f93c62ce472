import type { Failure, NodeOutcome, Plan, PlanNode, ProblemRecord } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { failureBlock, warningBlock, type FailureView } from '../../src/render/failure.ts'
import { createStyle } from '../../src/render/style.ts'

const node = (task: string, host?: string): PlanNode => ({
  id: host === undefined ? task : `${task}@dev/${host}`,
  kind: 'task',
  task,
  stage: 'dev',
  effect: 'write',
  needs: {},
  milestone: false,
  ...(host !== undefined && { host }),
})
const HOSTS = ['web1', 'web2', 'web10']
const plan: Plan = {
  stage: 'dev',
  requested: ['deploy'],
  from: { stage: 'dev', tasks: [{ name: 'deploy' }], inputs: {} },
  hosts: {},
  edges: [],
  notes: [],
  nodes: [
    ...HOSTS.map((host) => node('release', host)),
    ...HOSTS.map((host) => node('publish', host)),
    node('notify'),
  ],
}

const failed = (host: string, more: Partial<ProblemRecord> = {}): Failure => ({
  node: `release@dev/${host}`,
  phase: 'run',
  problem: { code: 'X', kind: 'task', message: `npm failed on ${host}`, host, ...more },
})

function block(
  failures: readonly Failure[],
  more: Partial<FailureView> = {},
  nodes: Readonly<Record<string, NodeOutcome>> = {},
): string {
  return failureBlock({
    plan,
    outcome: { status: 'failed', failures, nodes: new Map(Object.entries(nodes)) },
    undoLogs: new Map(),
    signal: undefined,
    log: 'events.jsonl',
    style: createStyle(false),
    cwd: '/srv/app',
    verbose: false,
    ...more,
  }).join('\n')
}

describe('the failure block', () => {
  it('groups equal failures, though each names its host, and keeps different ones apart', () => {
    const text = block([failed('web1'), failed('web10'), failed('web2', { message: 'disk full' })])
    expect(text).toBe(`
✘ release failed on web1 (same on web10)
  npm failed on web1

✘ release failed on web2
  disk full

Nothing had to be undone.
Log: events.jsonl`)
  })

  it('names what failed beside the tasks, such as the log of the run', () => {
    const problem = { code: 'JOURNAL_LOST', kind: 'check', message: 'no space left' } as const
    expect(block([{ node: 'journal', phase: 'run', problem }])).toContain(
      '✘ the log of the run failed\n  no space left\n',
    )
  })

  it('shows the command, how it ended, at most 20 lines of what it said, and the hint', () => {
    const tail = Array.from({ length: 30 }, (_, index) => `line ${String(index)}`)
    const command = { text: 'npm ci\nnpm test', exitCode: null, signal: 'SIGKILL', tail, mayHaveRun: true }
    const lines = block([
      failed('web1', { code: 'COMMAND_FAILED', command, hint: 'Give it more memory.' }),
    ]).split('\n')
    expect(lines.slice(0, 6)).toEqual([
      '',
      '✘ release failed on web1',
      '  $ npm ci',
      '  $ npm test',
      '  SIGKILL',
      '  | line 10',
    ])
    expect(lines.filter((line) => line.startsWith('  | '))).toHaveLength(20)
    expect(lines).toContain('  The connection broke before the outcome was known: the command may have run.')
    expect(lines).toContain('  Give it more memory.')
  })

  it('shows what both streams said last, in its order, and marks standard error', () => {
    const output = [
      { stream: 'stdout', line: 'compiling' },
      { stream: 'stderr', line: 'main.c: no such file' },
      { stream: 'stdout', line: 'cleaning up' },
    ] as const
    const command = { text: 'make', exitCode: 2, signal: null, tail: ['main.c: no such file'], output }
    expect(block([failed('web1', { code: 'COMMAND_FAILED', command })])).toContain(`
  $ make
  exit 2
  | compiling
  ! main.c: no such file
  | cleaning up
`)
  })

  it('marks nothing where only one stream spoke', () => {
    const output = [{ stream: 'stderr', line: 'no such file' }] as const
    const command = { text: 'make', exitCode: 2, signal: null, tail: ['no such file'], output }
    expect(block([failed('web1', { code: 'COMMAND_FAILED', command })])).toContain('  | no such file\n')
  })

  it('keeps the message of a problem that is more than a command that failed', () => {
    const command = { text: 'sleep 9', exitCode: null, signal: 'SIGTERM', tail: [] }
    expect(
      block([failed('web1', { code: 'COMMAND_TIMEOUT', message: 'sleep 9 took longer than 1 s', command })]),
    ).toContain('  sleep 9 took longer than 1 s\n  $ sleep 9\n  SIGTERM\n')
  })

  it('tells what was undone and what it said, what was not, and what never ran', () => {
    const text = block(
      [
        failed('web1'),
        {
          node: 'release@dev/web2',
          phase: 'undo',
          problem: { code: 'X', kind: 'task', message: 'rm: busy' },
        },
      ],
      { undoLogs: new Map([['release@dev/web1', ['back on 20261101090000']]]) },
      {
        'release@dev/web1': { status: 'failed', undone: true },
        'release@dev/web10': { status: 'done', undone: true },
        'release@dev/web2': { status: 'done', undone: false },
        'publish@dev/web1': { status: 'blocked' },
        'publish@dev/web2': { status: 'blocked' },
        notify: { status: 'blocked' },
      },
    )
    expect(text).toBe(`
✘ release failed on web1
  npm failed on web1

Undone: release on web1, web10
  web1: back on 20261101090000
Not undone: release on web2

✘ release could not be undone on web2
  rm: busy
Not run: publish on web1, web2; notify
Log: events.jsonl`)
  })

  it('says where in the project something was thrown, and the stack only when verbose', () => {
    const stack =
      'Error: x\n    at node_modules/a.js:1:1\n    at run (file:///srv/app/node_modules/b/c.js:1:1)\n    at run (/srv/app/ops/tasks.ts:12:9)'
    expect(block([failed('web1', { stack })])).toContain('  npm failed on web1\n  at ops/tasks.ts:12\n\n')
    expect(block([failed('web1', { stack })], { verbose: true })).toContain(
      '      at run (/srv/app/ops/tasks.ts:12:9)',
    )
  })

  it('begins with the signal that stopped the run', () => {
    expect(block([], { signal: 'SIGTERM' })).toBe(
      '\n✘ stopped by SIGTERM\n\nNothing had to be undone.\nLog: events.jsonl',
    )
  })

  it('lets no escape code of a host through', () => {
    const command = { text: 'x', exitCode: 1, signal: null, tail: ['\u001b[2J\u001b[31mred\u001b[0m'] }
    expect(block([failed('web1', { code: 'COMMAND_FAILED', command })])).toContain('  | red\n')
  })
})

describe('failures of two hosts are one', () => {
  const hosts = Object.fromEntries(
    HOSTS.map((host, index) => [
      `dev/${host}`,
      { address: `10.0.0.${String(index)}`, roles: [], transport: 'ssh' as const },
    ]),
  )
  const groups = (one: Partial<ProblemRecord>, other: Partial<ProblemRecord>): number =>
    block([failed('web1', one), failed('web2', other)], { plan: { ...plan, hosts } }).split('✘').length - 1
  const said = (line: string): Partial<ProblemRecord> => ({
    message: 'it failed',
    command: { text: 'npm ci', exitCode: 1, signal: null, tail: [line] },
  })

  it.each([
    ['refused by 10.0.0.0:22', 'refused by 10.0.0.1:22'],
    ['web1 did not answer', 'web2 did not answer'],
    ['killed process 4711', 'killed process 4712'],
    ['lock is held by pid=9', 'lock is held by pid=10'],
    ['passenger[31]: no app', 'passenger[32]: no app'],
  ])('%j, %j', (one, other) => {
    expect(groups({ message: one }, { message: other })).toBe(1)
    expect(groups(said(one), said(other))).toBe(1)
  })

  it.each([
    ['3 tests failed', '5 tests failed'],
    ['web1 did not answer', 'web10 did not answer'],
    ['refused by 10.0.0.10', 'refused by 10.0.0.11'],
    ['/tmp/a[1]', '/tmp/b[1]'],
  ])('but not %j, %j', (one, other) => {
    expect(groups({ message: one }, { message: other })).toBe(2)
    expect(groups(said(one), said(other))).toBe(2)
  })

  it('nor those of commands that ended in another way', () => {
    const command = { text: 'npm ci', exitCode: 1, signal: null, tail: [] }
    const one = { message: 'it failed', command }
    expect(groups(one, { ...one, command: { ...command, exitCode: 2 } })).toBe(2)
  })
})

it('warnings have the same form', () => {
  const view = { plan, style: createStyle(false), cwd: '/srv/app', verbose: false }
  expect(warningBlock([failed('web1'), failed('web2')], view).join('\n')).toBe(
    '\n! release warned on web1 (same on web2)\n  npm failed on web1',
  )
})
