import type { CommandEvent, Plan, PlanNode, ProgressFacts, RunEventBody } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { plainRenderer } from '../../src/render/plain.ts'
import { createStyle } from '../../src/render/style.ts'

const START = 1_000_000

const node = (task: string, host: string): PlanNode => ({
  id: `${task}@dev/${host}`,
  kind: 'task',
  task,
  stage: 'dev',
  host,
  effect: 'write',
  needs: {},
  milestone: false,
})

const plan: Plan = {
  stage: 'dev',
  requested: ['deploy'],
  from: { stage: 'dev', tasks: [{ name: 'deploy' }], inputs: {} },
  hosts: {},
  edges: [],
  notes: ['the hook warm was dropped: no host here has its role'],
  nodes: [node('release', 'web1'), node('release', 'web2'), node('link', 'web1')],
  onFailure: { nodes: [node('page', 'web1')], edges: [] },
}

/** Events with the second at which they happen. */
function print(verbose: boolean, ...events: readonly (readonly [number, RunEventBody])[]): string {
  let text = ''
  const renderer = plainRenderer({
    plan,
    run: { id: 'R', startedAt: new Date(START), user: 'jan', root: '/' },
    output: { write: (more: string) => (text += more) },
    style: createStyle(false),
    verbose,
  })
  for (const [index, [second, body]] of events.entries())
    renderer.event({ ...body, seq: index + 1, at: START + second * 1000 })
  return text.replace(/^[^]*?\n\n/, '')
}

const of = (id: string, event: CommandEvent): RunEventBody => ({
  type: 'node.command',
  node: id,
  phase: 'run',
  event,
})
const started = (command: number, host: string, text: string, reads = false): CommandEvent => ({
  type: 'command.started',
  command,
  host,
  text,
  reads,
})
const ended = (
  command: number,
  host: string,
  exitCode: number | null,
  signal: string | null = null,
): CommandEvent => ({
  type: 'command.ended',
  command,
  host,
  exitCode,
  signal,
  durationMs: 120,
})

describe('plain', () => {
  it('begins with what runs where, and the notes of the plan', () => {
    let text = ''
    const output = { write: (more: string) => (text += more) }
    plainRenderer({
      plan,
      run: { id: 'R', startedAt: new Date(), user: 'jan', root: '/' },
      output,
      style: createStyle(false),
      verbose: false,
    })
    expect(text).toBe(
      'dev: deploy  on web1, web2\nrun R by jan\nnote: the hook warm was dropped: no host here has its role\n\n',
    )
  })

  it('prints a command once for all hosts, and a line for each of them', () => {
    expect(
      print(
        false,
        [0, { type: 'run.resumed', mode: 'resume', kept: [], changed: [], user: 'jan', undo: 'on' }],
        [61, of('release@dev/web1', started(1, 'web1', 'npm ci'))],
        [61, of('release@dev/web2', started(2, 'web2', 'npm ci'))],
        [62, of('release@dev/web1', ended(1, 'web1', 0))],
        [63, of('release@dev/web2', ended(2, 'web2', null, 'SIGKILL'))],
      ),
    ).toBe('01:01 release\n      01 npm ci\n    ✔ 01 web1 0.12s\n    ✘ 01 web2 SIGKILL 0.12s\n')
  })

  it('names a task again when hosts pipeline and lines change hands', () => {
    expect(
      print(
        false,
        [1, of('release@dev/web1', started(1, 'web1', 'a'))],
        [2, of('link@dev/web1', started(2, 'web1', 'b'))],
        [3, of('release@dev/web1', ended(1, 'web1', 0))],
        [4, of('link@dev/web1', ended(2, 'web1', 0))],
      ),
    ).toBe(
      '00:01 release\n      01 a\n00:02 link\n      01 b\n00:03 release\n    ✔ 01 web1 0.12s\n00:04 link\n    ✔ 01 web1 0.12s\n',
    )
  })

  it('keeps what only reads to itself, unless verbose; a test that says no is no failure', () => {
    const events = [
      [1, of('release@dev/web1', started(1, 'web1', 'test -d x', true))],
      [1, of('release@dev/web1', ended(1, 'web1', 1))],
    ] as const
    expect(print(false, ...events)).toBe('')
    expect(print(true, ...events)).toBe('00:01 release\n      01 test -d x\n    ✔ 01 web1 0.12s\n')
  })

  it('shows the first line of a script, whose output it is, and no escape codes of it', () => {
    expect(
      print(
        false,
        [1, of('release@dev/web1', started(1, 'web1', 'set -eu\nrm x'))],
        [
          1,
          of('release@dev/web1', {
            type: 'command.output',
            command: 1,
            host: 'web1',
            stream: 'stdout',
            line: '\u001b[2Jgone',
          }),
        ],
      ),
    ).toBe('00:01 release\n      01 set -eu …\n      01 web1: gone\n')
  })

  it('reports a transfer every ten seconds and at its end', () => {
    const at = (second: number, bytes: number) =>
      [
        second,
        of('release@dev/web1', { type: 'transfer', host: 'web1', path: 'dist.tar', bytes, total: 3_000_000 }),
      ] as const
    expect(print(false, at(1, 1000), at(11, 1_000_000), at(12, 2_000_000), at(13, 3_000_000))).toBe(
      '00:11 release\n      web1: dist.tar 1.0 MB of 3.0 MB (33%)  99.9 kB/s  00:20 left\n      web1: dist.tar 3.0 MB of 3.0 MB (100%)  249.9 kB/s\n',
    )
  })

  it('reports how far a task is every ten seconds, part by part, a guess as a guess', () => {
    const at = (
      second: number,
      done: number,
      total: number | undefined,
      facts: ProgressFacts,
    ): readonly [number, RunEventBody] => [
      second,
      {
        ...({ type: 'node.progress', node: 'release@dev/web1', phase: 'run', done } as const),
        ...facts,
        ...(total !== undefined && { total }),
      },
    ]
    const dump = { what: 'dump', unit: 'bytes', estimated: true }
    const hash = { what: 'sha256', unit: 'bytes' }
    const restore = { what: 'restore', unit: 'entries' }
    expect(
      print(
        false,
        at(1, 1_000_000, 48_000_000, dump),
        at(11, 21_000_000, 48_000_000, dump),
        at(12, 23_000_000, 48_000_000, dump),
        at(22, 49_000_000, 48_000_000, dump),
        at(30, 1_000_000, 50_000_000, hash),
        at(33, 25_000_000, 50_000_000, hash),
        at(44, 12, 40, { ...restore, note: '2000000 rows of 2 tables at work' }),
        at(55, 7, undefined, {}),
      ),
    ).toBe(
      [
        '00:11 release',
        '      web1: dump: 21.0 MB of ~48.0 MB (~43%)  2.0 MB/s  ~00:13 left',
        '      web1: dump: 49.0 MB  2.3 MB/s',
        '      web1: sha256: 25.0 MB of 50.0 MB (50%)  8.0 MB/s  00:03 left',
        '      web1: restore: 12 of 40 entries, 2000000 rows of 2 tables at work',
        '      web1: 7',
        '',
      ].join('\n'),
    )
  })

  it('shows onFailure tasks like any other', () => {
    const page: RunEventBody = { type: 'node.started', node: 'page@dev/web1', phase: 'run' }
    const calls: RunEventBody = { type: 'node.log', node: 'page@dev/web1', phase: 'run', message: 'calling' }
    expect(print(false, [7, page], [8, calls])).toBe('00:07 page\n      web1: calling\n')
  })

  it('says what stopped the run', () => {
    expect(
      print(
        false,
        [5, { type: 'run.stopping', reason: `'release@dev/web1' failed` }],
        [6, { type: 'run.ended', status: 'failed', durationMs: 6000 }],
      ),
    ).toBe(`00:05 stopping: 'release@dev/web1' failed\n✘ failed after 6.00s\n`)
  })
})
