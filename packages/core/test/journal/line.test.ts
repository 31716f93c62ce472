import type { ProblemRecord, RunEvent } from '@deployfile/core'
import { expect, test } from 'vitest'
import { eventOf, lineOf } from '../../src/journal/line.ts'

const at = { seq: 7, at: 1_763_880_000_000 }
const problem: ProblemRecord = { kind: 'task', code: 'BROKEN', message: 'it "broke"\n' }
const awkward = 'build{"a":"\\ü\u2028\n"}@production/web1'

test.each<RunEvent>([
  { type: 'node.started', node: 'a', phase: 'run', ...at },
  { type: 'node.started', node: awkward, phase: 'undo', parent: awkward, ...at },
  { type: 'node.ended', node: awkward, phase: 'finally', status: 'done', durationMs: 0, ...at },
  { type: 'node.ended', node: 'a', phase: 'run', status: 'done', durationMs: 12.5, result: null, ...at },
  {
    type: 'node.ended',
    node: 'a',
    phase: 'run',
    status: 'done',
    durationMs: 1,
    result: { a: [awkward] },
    ...at,
  },
  { type: 'node.ended', node: 'a', phase: 'run', status: 'blocked', durationMs: 0, reason: awkward, ...at },
  {
    type: 'node.ended',
    node: 'a',
    phase: 'run',
    status: 'failed',
    durationMs: 1,
    problem,
    parent: 'b',
    ...at,
  },
  { type: 'node.log', node: awkward, phase: 'run', message: awkward, parent: 'b', ...at },
  { type: 'run.ended', status: 'done', durationMs: 3, ...at },
])('a line holds the whole event and is one line: %j', (event) => {
  const line = lineOf(event)
  expect(JSON.parse(line)).toEqual(event)
  expect(eventOf(line)).toEqual(event)
  expect(line).not.toContain('\n')
})

test('a field that is undefined is not there', () => {
  const event: RunEvent = {
    type: 'node.ended',
    node: 'a',
    phase: 'run',
    status: 'done',
    durationMs: 1,
    ...at,
  }
  const more = { reason: undefined, problem: undefined, result: undefined, parent: undefined }
  expect(lineOf({ ...event, ...more } as unknown as RunEvent)).toBe(lineOf(event))
})

test.each(['', '{', 'null', '1', '{"type":"node.started"}', '{"seq":1}'])('%j is no event', (line) => {
  expect(() => eventOf(line)).toThrow(SyntaxError)
})
