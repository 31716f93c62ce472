import { isProblem, task } from '@deployfile/core'
import { expect, test } from 'vitest'

const noop = (): void => undefined

test('a preset gives what the task does not say itself', () => {
  const onDb = task.preset({ on: 'db', effect: 'read', onError: 'warn' })
  const dump = onDb('dump', { run: noop })
  expect(dump['~task'].spec).toMatchObject({ on: 'db', effect: 'read', onError: 'warn' })
  const load = onDb('load', { on: { role: 'db', pick: 'primary' }, effect: 'destroy', run: noop })
  expect(load['~task'].spec).toMatchObject({
    on: { role: 'db', pick: 'primary' },
    effect: 'destroy',
    onError: 'warn',
  })
})

test('a preset of a preset has both, the later values winning; the first stays as it was', () => {
  const read = task.preset({ effect: 'read', on: 'web' })
  const readDb = read.preset({ on: 'db' })
  expect(readDb('a', { run: noop })['~task'].spec).toMatchObject({ effect: 'read', on: 'db' })
  expect(read('b', { run: noop })['~task'].spec).toMatchObject({ effect: 'read', on: 'web' })
  expect(task('c', { run: noop })['~task'].spec.on).toBeUndefined()
})

test('a task of a preset knows where it was declared', () => {
  expect(task.preset({ on: 'db' })('here', { run: noop })['~task'].location).toMatchObject({
    file: import.meta.filename,
  })
})

test.each([
  ['input', 'It may have:'],
  ['onn', "Did you mean 'on'?"],
])('%s is no key of a preset', (key, hint) => {
  const untyped = task.preset as unknown as (options: object) => unknown
  try {
    untyped({ [key]: 'x' })
    expect.unreachable()
  } catch (thrown) {
    if (!isProblem(thrown)) throw thrown
    expect(thrown.message).toBe(`a preset has the unknown key '${key}'`)
    expect(thrown.details.hint).toContain(hint)
    expect(thrown.details.location?.file).toBe(import.meta.filename)
  }
})
