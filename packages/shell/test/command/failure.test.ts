import type { Problem } from '@deployfile/core'
import { expect, test } from 'vitest'
import {
  commandFailed,
  commandStopped,
  connectionLost,
  neverBegan,
  notBegun,
  outputCut,
  sudoRefused,
} from '../../src/command/failure.ts'

const facts = { host: 'web1', text: 'bin/work', tail: ['last words'] }
const exit = (exitCode: number) => ({ exitCode, signal: null })

// One line each: what a log, another process and a retry are told of every way in which a command can go wrong.
const kinds: readonly (readonly [
  make: Problem,
  code: string,
  kind: string,
  retryable: boolean | undefined,
  mayHaveRun: boolean | undefined,
])[] = [
  [commandFailed(facts, exit(1)), 'COMMAND_FAILED', 'task', undefined, undefined],
  [
    commandFailed(facts, { exitCode: null, signal: 'SIGSEGV' }),
    'COMMAND_FAILED',
    'task',
    undefined,
    undefined,
  ],
  [outputCut(facts, exit(0)), 'COMMAND_FAILED', 'task', undefined, undefined],
  [
    commandStopped('cancelled', facts, exit(143), 'nothing'),
    'COMMAND_CANCELLED',
    'task',
    undefined,
    undefined,
  ],
  [
    commandStopped('cancelled', facts, undefined, 'not started'),
    'COMMAND_CANCELLED',
    'task',
    undefined,
    false,
  ],
  [
    commandStopped({ timeout: 5_000 }, facts, exit(143), 'nothing'),
    'COMMAND_TIMEOUT',
    'task',
    undefined,
    undefined,
  ],
  [
    commandStopped({ idle: 5_000 }, facts, undefined, 'unknown'),
    'COMMAND_TIMEOUT',
    'task',
    undefined,
    undefined,
  ],
  [neverBegan(facts, exit(0), [], 30_000, 'nothing'), 'LOGIN_SHELL', 'check', undefined, false],
  [neverBegan(facts, undefined, [], 30_000, 'unknown'), 'LOGIN_SHELL', 'check', undefined, true],
  [connectionLost(facts, 'reset', true), 'CONNECTION_LOST', 'task', undefined, true],
  [connectionLost(facts, 'reset', false), 'CONNECTION_LOST', 'task', true, false],
  [notBegun(facts, exit(0), ['banner']), 'LOGIN_SHELL', 'check', undefined, false],
  [
    sudoRefused(facts, 'postgres', ['sudo: a password is required'], 'nothing'),
    'SUDO_REFUSED',
    'check',
    false,
    false,
  ],
]

test.each(kinds)('%s', (problem, code, kind, retryable, mayHaveRun) => {
  expect(problem).toMatchObject({ code, kind })
  expect(problem.message.startsWith('web1: ')).toBe(true)
  expect(problem.details.host).toBe('web1')
  expect(problem.details.retryable).toBe(retryable)
  expect(problem.details.command?.mayHaveRun).toBe(mayHaveRun)
  expect(problem.details.command?.text).toBe('bin/work')
})

test('what may still be running says so, and where', () => {
  expect(commandStopped('cancelled', facts, undefined, 'unknown').message).toBe(
    'web1: bin/work was cancelled; it may still be running on web1',
  )
  expect(commandStopped({ idle: 90_000 }, facts, undefined, 'unknown').message).toBe(
    'web1: bin/work gave no sign of life for 90 s; it may still be running on web1',
  )
})

test('what ended early says what to do', () => {
  const hintOf = (...given: Parameters<typeof commandStopped>) => commandStopped(...given).details.hint
  expect(hintOf('cancelled', facts, exit(143), 'nothing')).toBeUndefined()
  expect(hintOf({ timeout: 5_000 }, facts, exit(143), 'nothing')).toBe(
    'If it may take longer, give it a larger `timeout`, or none.',
  )
  expect(hintOf({ idle: 5_000 }, facts, undefined, 'unknown')).toBe(
    'Look on web1 whether it still runs before you run it again. If it may take longer, give it a larger `idle`, or none.',
  )
  expect(connectionLost(facts, 'reset', false).details.hint).toBe(
    'Nothing of it ran: run it again when web1 answers.',
  )
})

test('sudo’s words that nobody foresaw are passed on', () => {
  const problem = sudoRefused(facts, 'postgres', ['sudo: the moon is full'], 'nothing')
  expect(problem.message).toBe('web1: sudo did not run bin/work as postgres: sudo: the moon is full')
  expect(problem.details.hint).toBe('Try it on web1: sudo -n -u postgres -- sh -c true')
})
