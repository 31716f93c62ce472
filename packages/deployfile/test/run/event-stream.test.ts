import { appendFileSync, mkdtempSync, rmSync, stat, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventStream } from '../../src/run/event-stream.ts'

function emptyLog(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deployfile-events-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'events.jsonl')
  writeFileSync(file, '')
  return file
}

/** Keeps this thread, and with it the journal's turn, while the threads that read files go on. */
const hold = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)

test('a reader that is quicker than the journal, which writes at the end of a turn, sees the event all the same', async () => {
  const file = emptyLog()
  const stream = eventStream(() => undefined)
  stream.opened(file)
  const next = stream.events[Symbol.asyncIterator]().next()

  // Files are answered between this turn's end and the next one's.
  await new Promise(setImmediate)
  // As the journal does for an event: its text is written in a moment, and readers are told of it now.
  setImmediate(() => appendFileSync(file, '{"type":"run.stopping"}\n'))
  stream.grew()
  // The reader has asked for the file when it is this one's turn: both answers are there at once, and between them it reads nothing.
  await Promise.resolve().then(() => Promise.resolve())
  stat(file, hold)
  hold()

  expect((await next).value).toEqual({ type: 'run.stopping' })
})

test('what was taken out of the file is told as lost, not waited for', async () => {
  const stream = eventStream(() => undefined)
  stream.opened(emptyLog())
  stream.grew()
  const next = stream.events[Symbol.asyncIterator]().next()
  await expect(next).rejects.toMatchObject({ code: 'EVENTS_LOST', kind: 'check' })
})
