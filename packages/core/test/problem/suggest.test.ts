import { nearest } from '@deployfile/core'
import { expect, test } from 'vitest'

const TASKS = ['deploy', 'deploy:migrations', 'deploy:migrate', 'db:backup:create', 'db:backup:restore']

test.each([
  ['deploi', 'deploy'],
  ['dpeloy', 'deploy'],
  ['DEPLOY', 'deploy'],
  ['db:backup:crate', 'db:backup:create'],
  ['migrations', 'deploy:migrations'],
  ['backup', undefined],
  ['xyz', undefined],
  ['', undefined],
])('%s → %s', (word, name) => {
  expect(nearest(word, TASKS)).toBe(name)
  // A one-shot iterator serves as well as an array.
  expect(nearest(word, TASKS.values())).toBe(name)
})

const SHORT = ['db', 'web', 'dev', 'ab', 'app', 'x']

test.each([
  ['d', undefined],
  ['b', undefined],
  ['X', 'x'],
  ['y', undefined],
  ['dv', 'dev'],
  ['DB', 'db'],
  ['de', 'dev'],
  ['da', undefined],
  ['ba', undefined],
  ['wbe', 'web'],
  ['we', 'web'],
  ['wob', 'web'],
  ['wax', undefined],
  ['apps', 'app'],
])('of short words: %s → %s', (word, name) => {
  expect(nearest(word, SHORT)).toBe(name)
})
