import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileJournal, readRun, replay, task, type RunEvent } from '@deployfile/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runTasks } from '../run/run-plan.ts'

const build = task('build', { run: () => ({ dir: 'dist' }), undo: () => undefined, finally: () => undefined })
const publish = task('publish', {
  needs: { build },
  run: () => {
    throw new Error('broken')
  },
})

const eventsOf = async (undo: 'on' | 'off'): Promise<readonly RunEvent[]> =>
  (await runTasks([build, publish], { undo, sources: { 'deploy.config.ts': 'abc' } })).events

/** Up to the first event that is asked for, itself included. */
const upTo = (events: readonly RunEvent[], found: (event: RunEvent) => boolean): readonly RunEvent[] =>
  events.slice(0, events.findIndex(found) + 1)

describe('what events tell of a run', () => {
  test('its facts, its plan and how its nodes ended', async () => {
    const events = await eventsOf('off')
    const run = await replay(events)
    expect(run).toMatchObject({
      run: { id: 'test', startedAt: new Date(0), user: 'somebody', root: '/' },
      sources: { 'deploy.config.ts': 'abc' },
      undo: 'off',
      status: 'failed',
      left: true,
      takingBack: false,
      seq: events.length,
      failures: [{ node: 'publish', phase: 'run', problem: { message: 'broken' } }],
    })
    expect(run.plan.nodes.map(({ id }) => id)).toEqual(['build', 'publish'])
    expect(run.nodes.get('build')).toEqual({
      status: 'done',
      result: { dir: 'dist' },
      entered: true,
      abandoned: false,
      undo: 'not',
      finally: 'done',
    })
    expect(run.nodes.get('publish')).toMatchObject({ status: 'failed', entered: true })
  })

  test('a body that was under way', async () => {
    const started = upTo(await eventsOf('on'), (event) => event.type === 'node.started')
    const run = await replay(started)
    expect(run).toMatchObject({ status: 'unfinished', takingBack: false, left: false })
    expect(run.nodes.get('build')).toMatchObject({ status: undefined, entered: true })
    expect(run.nodes.has('publish')).toBe(false)
  })

  test('an undo that was under way, and one that ended', async () => {
    const events = await eventsOf('on')
    const undo = (type: RunEvent['type']) => (event: RunEvent) =>
      event.type === type && 'phase' in event && event.phase === 'undo'
    const begun = await replay(upTo(events, undo('node.started')))
    expect(begun).toMatchObject({ takingBack: true })
    expect(begun.nodes.get('build')).toMatchObject({ undo: 'begun', finally: 'not' })
    const over = await replay(upTo(events, undo('node.ended')))
    expect(over.nodes.get('build')).toMatchObject({ undo: 'done' })
  })

  test('a database can give them one by one', async () => {
    const events = await eventsOf('on')
    async function* rows(): AsyncGenerator<RunEvent, void, undefined> {
      for (const event of events) yield await Promise.resolve(event)
    }
    expect(await replay(rows())).toEqual(await replay(events))
  })

  test('events that lack one are refused', async () => {
    const events = await eventsOf('on')
    await expect(replay(events.filter(({ seq }) => seq !== 3))).rejects.toMatchObject({
      code: 'JOURNAL_BROKEN',
      message: 'the log of the run cannot be read: event 3 is followed by event 4',
    })
    await expect(replay([])).rejects.toMatchObject({ code: 'RUN_EMPTY', kind: 'usage' })
    await expect(replay(events.slice(1))).rejects.toMatchObject({ code: 'JOURNAL_BROKEN' })
  })
})

describe('the file of a run', () => {
  let dir = ''
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'replay-'))
    const journal = fileJournal(dir)
    await runTasks([build, publish], { journal })
    await journal.close()
  })
  afterEach(() => {
    rmSync(dir, { recursive: true })
  })

  const file = (): string => join(dir, 'events.jsonl')

  test('half a line at its end is not read, and cut off before anything is added', async () => {
    const whole = readFileSync(file(), 'utf8')
    appendFileSync(file(), '{"type":"node.sta')
    const { recorded, bytes } = await readRun(dir)
    expect(recorded.seq).toBe(whole.trimEnd().split('\n').length)
    expect(bytes).toBe(Buffer.byteLength(whole))
    const journal = fileJournal(dir, bytes)
    await journal.close()
    expect(readFileSync(file(), 'utf8')).toBe(whole)
  })

  test('what is no event is told with its line', async () => {
    const lines = readFileSync(file(), 'utf8').split('\n')
    for (const [text, at] of [
      ['{"type":', 2],
      ['null', 3],
      ['{"hello":1}', 2],
    ] as const) {
      writeFileSync(file(), lines.toSpliced(at - 1, 0, text).join('\n'))
      await expect(readRun(dir)).rejects.toMatchObject({
        code: 'JOURNAL_BROKEN',
        kind: 'check',
        message: `line ${String(at)} of ${file()} is not an event of a run`,
      })
    }
  })

  test('one that is not there, or of another version, is told', async () => {
    const [first = '', ...rest] = readFileSync(file(), 'utf8').split('\n')
    writeFileSync(file(), [first.replace('"format":1', '"format":2'), ...rest].join('\n'))
    await expect(readRun(dir)).rejects.toMatchObject({
      message: `the log of the run cannot be read: it was written by another version of deployfile (line 1 of ${file()})`,
    })
    rmSync(file())
    await expect(readRun(dir)).rejects.toMatchObject({ code: 'JOURNAL_MISSING' })
  })

  test('a line that is longer than many reads is read whole', async () => {
    const tasks = Array.from({ length: 3000 }, (_, index) => task(`t${String(index)}`, { run: () => 1 }))
    const last = task('last', {
      needs: Object.fromEntries(tasks.map((one) => [one.name, one])),
      run: () => 1,
    })
    const other = join(dir, 'large')
    const journal = fileJournal(other)
    await runTasks([...tasks, last], { journal })
    await journal.close()
    const { recorded } = await readRun(other)
    expect(recorded).toMatchObject({ status: 'done' })
    expect(recorded.plan.nodes).toHaveLength(3001)
    expect(readFileSync(join(other, 'events.jsonl'), 'utf8').indexOf('\n')).toBeGreaterThan(256 * 1024)
  })
})
