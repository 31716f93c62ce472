import { group, task } from '@deployfile/core'
import { expect, test } from 'vitest'
import { problemOf } from '../problem-of.ts'

const noop = (): void => undefined

// What the compiler would refuse as well, for configs written in JavaScript.
const untyped = task as unknown as (name: string, spec: object) => unknown

test.each([
  ['a name with a space', () => task('two words', { run: noop }), '"two words" cannot be the name of a task'],
  [
    'a name with a control character',
    () => task('a\u001b[31m', { run: noop }),
    '"a\\u001b[31m" cannot be the name of a task',
  ],
  ['an empty part', () => task('deploy:', { run: noop }), '"deploy:" cannot be the name of a task'],
  ['a group too', () => group('a/b', {}), '"a/b" cannot be the name of a task'],
  [
    'the name of a part of a task',
    () => task('deploy.start', { run: noop }),
    '"deploy.start" cannot be the name of a task',
  ],
  ['an unknown key', () => untyped('t', { need: {}, run: noop }), "the task 't' has the unknown key 'need'"],
  ['no body', () => untyped('t', { on: 'web' }), "the task 't' has no run function"],
  ['undo above run', () => untyped('t', { undo: noop, run: noop }), "in the task 't', undo stands above run"],
])('%s is refused where it stands', (_title, make, message) => {
  const problem = problemOf(make)
  expect(problem.message).toBe(message)
  expect(problem.kind).toBe('usage')
  expect(problem.details.location?.file).toMatch(/task\.test\.ts$/)
})

test('a typo in a key is answered with the key', () => {
  expect(problemOf(() => untyped('t', { neds: {}, run: noop })).details.hint).toBe("Did you mean 'needs'?")
})

test('a task knows where it was declared', () => {
  const here = task('here', { run: noop })
  expect(here['~task'].location).toMatchObject({ file: import.meta.filename })
})
