import { mainIssue, secret, valueFault } from '@deployfile/core'
import { expect, test } from 'vitest'
import * as z from 'zod'

/** Where, what and what to write, of a value that a schema refuses. */
function said(schema: z.ZodType, value: unknown): string {
  const issues = schema.safeParse(value).error?.issues
  const issue = issues && mainIssue(issues)
  if (!issue) return 'taken'
  const { path, message, hint } = valueFault(schema, value, issue)
  return `${path.join('.')}| ${message}${hint === undefined ? '' : ` | ${hint}`}`
}

const port = z.object({ port: z.int().min(1).max(65535).optional() })
const file = z.strictObject({ path: z.string().min(1), optional: z.boolean().optional() })
const names = z.union([z.string().min(1), z.array(z.string().min(1))])

test.each<[schema: z.ZodType, value: unknown, said: string]>([
  [port, { port: 70_000 }, 'port| 70000 is not a whole number from 1 to 65535'],
  [port, { port: 1.5 }, 'port| 1.5 is not a whole number from 1 to 65535'],
  [port, { port: '22' }, "port| '22' is not a whole number from 1 to 65535 | Write it without quotes: 22"],
  [port, { port: null }, 'port| null is not a whole number from 1 to 65535'],
  [port, { port: [] }, 'port| it is a list, not a whole number from 1 to 65535'],
  [port, { port: () => 22 }, 'port| it is a function, not a whole number from 1 to 65535'],
  [port, { port: Promise.resolve(22) }, 'port| it is a promise, not a whole number from 1 to 65535'],
  [port, { port: secret.env('PORT') }, 'port| it is a secret, not a whole number from 1 to 65535'],
  [port, [], '| it is a list, not an object'],
  [z.boolean(), 'true', "| 'true' is not true or false | Write it without quotes: true"],
  [z.boolean(), 'yes', "| 'yes' is not true or false"],
  [z.enum(['ssh', 'local']), 'locl', "| 'locl' is neither 'ssh' nor 'local' | Did you mean 'local'?"],
  [z.enum(['ssh', 'local']), {}, '| it is an object, not ssh or local'],
  [z.literal('primary'), 'first', "| 'first' is not 'primary'"],
  [z.array(z.string()), 'web, app', "| 'web, app' is not a list | Write it as a list: ['web', 'app']"],
  [z.array(z.string()), [1], '0| 1 is not text'],
  [z.array(z.string()).min(1), [], '| it is empty'],
  [z.string().min(1), '', '| it is empty'],
  [z.string().min(1), 5, '| 5 is not text'],
  [z.string().regex(/^a/), 5, '| 5 is not text'],
  [z.string().regex(/^a/), 'b', "| 'b' is not text that matches /^a/"],
  [file, { pth: 'a' }, "| it has the unknown key 'pth' | Did you mean 'path'?"],
  [z.string(), 'x'.repeat(99), 'taken'],
  [z.string().max(9), 'x\n'.repeat(99), `| '${'x\\n'.repeat(19)}…' is not text of at most 9 characters`],
  [file, {}, 'path| is missing'],
  [file, [], '| it is a list, not { path: … }'],
  [file, { path: 'a', optoinal: true }, "| it has the unknown key 'optoinal' | Did you mean 'optional'?"],
  [file, { path: 'a', b: true }, "| it has the unknown key 'b' | It may have: path, optional."],
  [z.record(z.string(), file), 5, '| 5 is not { name: { path: … } }'],
  [z.record(z.string(), z.string()), 5, '| 5 is not { name: … }'],
  [z.record(z.string(), file), { a: { path: 1 } }, 'a.path| 1 is not text'],
  [z.record(z.string().regex(/^a/, 'a name has an a'), file), { b: { path: 'x' } }, 'b| a name has an a'],
])('%# of a schema’s own kind', (schema, value, expected) => {
  expect(said(schema, value)).toBe(expected)
})

test.each<[schema: z.ZodType, value: unknown, said: string]>([
  [names, 5, '| 5 is not text, or a list'],
  [names, {}, '| it is an object, not text, or a list'],
  [names, ['a', 5], '1| 5 is not text'],
  [names, '', '| it is empty'],
  [z.union([z.boolean(), file]), { pth: 'x' }, "| it has the unknown key 'pth' | Did you mean 'path'?"],
  [z.union([z.boolean(), file]), {}, 'path| is missing'],
  [z.union([z.boolean(), file]), 'x', "| 'x' is not true or false, or { path: … }"],
  [z.union([z.union([z.string(), file]), z.array(file)]), [{ path: 1 }], '0.path| 1 is not text'],
  [z.preprocess((text) => text, file), { pth: 'x' }, "| it has the unknown key 'pth' | Did you mean 'path'?"],
  [z.array(names.or(file)), [{ pth: 'x' }], "0| it has the unknown key 'pth' | Did you mean 'path'?"],
  [z.union([z.string(), file], 'a path, please'), 5, '| a path, please'],
  [z.union([z.string(), z.custom(() => false, 'a strategy, please')]), {}, '| a strategy, please'],
])('%# of several shapes the one that was meant', (schema, value, expected) => {
  expect(said(schema, value)).toBe(expected)
})

test('what its author says passes unchanged, with the hint that stands beside it', () => {
  expect(said(z.int('a number, please'), 'x')).toBe('| a number, please')
  const asked = z.string().superRefine((_text, context) => {
    context.addIssue({ code: 'custom', message: 'no', params: { hint: 'Say yes.' } })
  })
  expect(said(asked, 'x')).toBe('| no | Say yes.')
})

test('what may hold a password is not shown', () => {
  const url = 'postgresql://app:hunter2@db/app'
  expect(said(z.array(z.string()), url)).toBe('| it is a URL, not a list')
  expect(said(z.enum(['a', 'b']), url)).toBe('| it is a URL, not a or b')
  expect(said(z.int(), `{"url":"${url}"}`)).toBe('| it is a URL, not a whole number')
})
