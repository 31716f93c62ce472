import { reveal, secret, type CommandEvent, type ShellScope } from '@deployfile/core'
import { createRecorder, createShells, dryShells } from '@deployfile/shell'
import { expect, test } from 'vitest'
import { problemOf } from '../contract.ts'

// What attach refuses, and what it does where there is no terminal to give. With one: test/e2e/console.test.ts.

const told: CommandEvent[] = []
const scope: ShellScope = {
  signal: new AbortController().signal,
  emit: (event) => void told.push(event),
  lendTerminal: () => Promise.reject(new Error('it was lent')),
}
const shells = createShells({ root: '.' })

test('without a terminal nothing is started', async () => {
  const { lendTerminal: _, ...without } = scope
  const problem = await problemOf(shells.local(without).attach`touch never`)
  expect(problem).toMatchObject({ kind: 'check', code: 'TERMINAL_MISSING' })
  expect(problem.message).toBe('localhost: touch never needs a terminal, and there is none')
  expect(told).toEqual([])
})

test('what has no meaning for a person is refused', async () => {
  for (const options of [{ input: 'x' }, { secrets: { A: secret.env('A') } }, { timeout: '1s' }] as const) {
    const problem = await problemOf(shells.local(scope).with(options).attach`true`)
    expect(problem).toMatchObject({ kind: 'usage', code: 'COMMAND_OPTIONS' })
    expect(problem.message).toContain(`attach takes no ${Object.keys(options)[0] ?? ''}`)
  }
})

test('a folder that is not there is found before the terminal is lent', async () => {
  const problem = await problemOf(shells.local(scope).with({ cwd: '/nowhere' }).attach`true`)
  expect(problem.code).toBe('COMMAND_FAILED')
  expect(problem.details.hint).toBe('It was to run in /nowhere, which is missing or may not be entered.')
})

test('a secret in its text is not started', async () => {
  process.env['TEST_ATTACH_SECRET'] = 'hunter2-attach'
  const password = reveal(secret.env('TEST_ATTACH_SECRET'))
  const problem = await problemOf(shells.local(scope).attach`psql -W ${password}`)
  delete process.env['TEST_ATTACH_SECRET']
  expect(problem.code).toBe('SECRET_IN_COMMAND')
  expect(problem.message).not.toContain(password)
})

test('a recorder notes it, a dry run says it', async () => {
  const recorder = createRecorder()
  await recorder.local(scope).with({ cwd: 'app' }).attach`bin/rails console`
  expect(recorder.commands).toMatchObject([
    { call: 'attach', text: 'bin/rails console', options: { cwd: 'app' } },
  ])
  told.length = 0
  await dryShells(shells).local(scope).with({ cwd: 'app' }).attach`bin/rails console`
  expect(told).toEqual([
    { type: 'command.skipped', host: 'localhost', text: 'cd app && bin/rails console (on the terminal)' },
  ])
})
