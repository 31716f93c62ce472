import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileJournal, task } from '@deployfile/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
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
    .map((line) => JSON.parse(line) as unknown)

test('has every event of the run, as one line each, readable by its owner only', async () => {
  const journal = fileJournal(join(dir, 'run'))
  const { events } = await runTasks([task('a', { run: () => ({ n: 1 }) })], { journal })
  journal.close()
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
  journal.close()
  expect(seen.at(-1)).toMatchObject({ type: 'node.started', node: 'a' })
})
