import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { defineConfig, loadCatalog, isProblem, resolvePlan, task } from '@deployfile/core'

/** What is said of one key that is given as text, and what is told to do. */
function refused(schema: z.ZodType, text: string): string {
  const one = task('one', { input: z.object({ key: schema }), run: () => 1 })
  const catalog = loadCatalog(
    defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [one] }),
  )
  try {
    resolvePlan(catalog, { tasks: ['one'], inputs: { key: text } })
  } catch (thrown) {
    if (!isProblem(thrown)) throw thrown
    expect(thrown.kind).toBe('usage')
    const [message, hint] = [thrown.message, String(thrown.details.hint)]
    expect(message).toContain("the input of 'one' does not fit: ")
    expect(hint).toContain('Its inputs are: key=…')
    const example = hint.replace(/\n?Its inputs are: key=…$/, '')
    return `${message.replace("the input of 'one' does not fit: ", '')} | ${example}`
  }
  return 'taken'
}

describe('what JSON Schema can say is a sentence', () => {
  test.each<[schema: () => z.ZodType, text: string, said: string]>([
    [() => z.int(), 'x', 'key=x is not a whole number | For example key=1'],
    [() => z.int(), '1.5', 'key=1.5 is not a whole number | For example key=1'],
    [() => z.int().min(1).max(8), '9', 'key=9 is not a whole number from 1 to 8 | For example key=1'],
    [
      () => z.int().min(1).max(8).default(2),
      '',
      'key= is not a whole number from 1 to 8 | For example key=2',
    ],
    [() => z.number().positive(), '-1', 'key=-1 is not a number above 0 | For example key=1'],
    [() => z.number().lt(0), '5', 'key=5 is not a number below 0 | For example key=-1'],
    [
      () => z.number().multipleOf(5).min(7),
      '11',
      'key=11 is not a number from 7 that is a multiple of 5 | For example key=10',
    ],
    [() => z.enum(['dev', 'prod']), 'x', 'key=x is neither dev nor prod | For example key=dev'],
    [
      () => z.enum(['dev', 'test', 'prod']),
      'tset',
      'key=tset is none of dev, test, prod | Did you mean key=test?',
    ],
    [() => z.literal('all'), 'some', 'key=some is not all | For example key=all'],
    [() => z.boolean(), 'perhaps', 'key=perhaps is not true or false | For example key=true'],
    [
      () => z.array(z.int().min(0)),
      '1,x',
      'key=1,x is not a list with commas, each a whole number from 0 | For example key=1',
    ],
    [
      () => z.array(z.int()).min(2),
      '1',
      'key=1 is not a list with commas, of at least 2, each a whole number | For example key=1,1',
    ],
    [() => z.string().min(2), 'a', 'key=a is not text of at least 2 characters | '],
    [() => z.string().max(1), 'ab', 'key=ab is not text of at most 1 character | '],
    [() => z.string().length(3), 'ab', 'key=ab is not text of 3 characters | '],
    [() => z.string().min(2).max(3).optional(), 'a', 'key=a is not text of 2 to 3 characters | '],
    [() => z.string().regex(/^v\d+$/), '1', 'key=1 is not text that matches /^v\\d+$/ | '],
    [() => z.iso.date(), 'yesterday', 'key=yesterday is not a date | For example key=2026-01-31'],
    [() => z.email(), 'me', 'key=me is not an email address | For example key=who@example.com'],
    [() => z.url(), 'here', 'key=here is not a URL | For example key=https://example.com'],
    [
      () => z.union([z.int(), z.enum(['all'])]),
      'x',
      'key=x is not a whole number or all | For example key=1',
    ],
    [() => z.int(), 'a\nb', 'key=a\\nb is not a whole number | For example key=1'],
    [() => z.int(), 'x'.repeat(99), `key=${'x'.repeat(57)}… is not a whole number | For example key=1`],
  ])('%o %s', (schema, text, said) => {
    expect(refused(schema(), text)).toBe(said)
  })
})

describe('what its author says passes unchanged', () => {
  test.each<[schema: () => z.ZodType, text: string, said: string]>([
    [() => z.string().refine((text) => text !== 'x', 'not x, please'), 'x', 'key: not x, please | '],
    [() => z.int('a number, please'), 'x', 'key: a number, please | '],
    [() => z.string().regex(/^v/, 'Invalid version'), '1', 'key: Invalid version | '],
    [() => z.email('Invalid email address of yours'), '1', 'key: Invalid email address of yours | '],
    [() => z.string().min(2, { error: ({ minimum }) => `not ${String(minimum)}` }), 'a', 'key: not 2 | '],
    [() => z.string().refine((text) => text !== 'x'), 'x', 'key: Invalid input | '],
  ])('%o %s', (schema, text, said) => {
    expect(refused(schema(), text)).toBe(said)
  })
})

test('several keys are told of at once, and where they are declared', () => {
  const input = z.object({ a: z.int(), b: z.boolean(), c: z.string() })
  const one = task('one', { input, run: () => 1 })
  const catalog = loadCatalog(
    defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [one] }),
  )
  const plan = (): unknown => resolvePlan(catalog, { tasks: ['one'], inputs: { a: 'x', b: 'y' } })
  expect(plan).toThrow(
    "the input of 'one' does not fit: a=x is not a whole number; b=y is not true or false; c=… is missing",
  )
  expect(plan).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({
        key: 'a',
        location: expect.objectContaining({ file: import.meta.filename }) as unknown,
        hint: 'For example a=1\nFor example b=true\nIts inputs are: a=… b=… c=…',
      }) as unknown,
    }),
  )
})
