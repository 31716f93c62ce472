import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileJournal, task } from '@deployfile/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventOf } from '../../src/journal/line.ts'
import { runTasks } from '../run/run-plan.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

const lines = (): unknown[] =>
  readFileSync(join(dir, 'run', 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(eventOf)

test('has every event of the run, as one line each, readable by its owner only', async () => {
  const journal = fileJournal(join(dir, 'run'))
  const { events } = await runTasks([task('a', { run: () => ({ n: 1 }) })], { journal })
  await journal.close()
  expect(lines()).toEqual(events)
  expect(statSync(join(dir, 'run', 'events.jsonl')).mode & 0o777).toBe(0o600)
})

test('an event is in the file before the work that it announces starts', async () => {
  const journal = fileJournal(join(dir, 'run'))
  let seen: unknown[] = []
  await runTasks(
    [
      task('a', {
        run: () => {
          seen = lines()
        },
      }),
    ],
    { journal },
  )
  await journal.close()
  expect(seen.at(-1)).toMatchObject({ type: 'node.started', node: 'a' })
})

test('a disk that is full stops the run before its first body, and closing says nothing more', async () => {
  mkdirSync(join(dir, 'full'))
  // Every write to it fails with ENOSPC.
  symlinkSync('/dev/full', join(dir, 'full', 'events.jsonl'))
  const journal = fileJournal(join(dir, 'full'))
  let entered = false
  const { outcome } = await runTasks([task('a', { run: () => void (entered = true) })], { journal })
  await journal.close()
  expect(entered).toBe(false)
  expect(outcome).toMatchObject({
    status: 'failed',
    failures: [
      {
        problem: {
          code: 'JOURNAL_LOST',
          message: expect.stringMatching(/^the log of the run can no longer be written: ENOSPC/) as string,
        },
      },
    ],
  })
})
