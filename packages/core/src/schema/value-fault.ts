import * as z from 'zod'
import { didYouMean } from '../problem/suggest.ts'
import { isSecret } from '../secret/secret.ts'
import { expectedOf, isStock, othersOf, valuesOf } from './expected.ts'
import type { JsonSchema } from './json-schema.ts'

/** What is wrong with a value that is written in a config: `70000 is not a whole number from 1 to 65535`. */
export interface ValueFault {
  readonly message: string
  /** Where: that of the issue, or deeper where one of several shapes was meant. */
  readonly path: readonly PropertyKey[]
  /** What to write instead, where that is known. */
  readonly hint?: string | undefined
  /** It was to be there, and is not; `message` says so. */
  readonly missing?: true
}

/** The one of several issues that is told: an unknown key is often the reason why another one is missing. */
export function mainIssue(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
}

/**
 * An issue of a value that a schema refused, as a sentence. Words that the schema's author chose stay as they are; `params.hint` of an
 * issue of theirs is the hint.
 */
export function valueFault(schema: z.ZodType, value: unknown, refused: z.core.$ZodIssue): ValueFault {
  const issue = meant(refused)
  const { path } = issue
  if (issue.code === 'invalid_key') return { path, message: issue.issues[0]?.message ?? issue.message }
  if (issue.code === 'custom') {
    const hint: unknown = issue.params?.['hint']
    return { path, message: issue.message, ...(typeof hint === 'string' && { hint }) }
  }
  if (issue.code !== 'unrecognized_keys' && !isStock(issue.message)) return { path, message: issue.message }
  const wanted = wantedAt(schema, path)
  if (issue.code === 'unrecognized_keys') return { path, ...unknownKey(issue.keys[0] ?? '', keysOf(wanted)) }
  const given = valueAt(value, path)
  if (given === undefined) return { path, message: 'is missing', missing: true }
  if (issue.code === 'too_small' && (given === '' || (Array.isArray(given) && given.length === 0)))
    return { path, message: 'it is empty' }
  const words = wanted && wordsOf(wanted, given)
  if (wanted === undefined || words === undefined) return { path, message: issue.message }
  return { path, message: refusal(given, wanted, words), hint: hintFor(given, wanted) }
}

// Of several shapes, the one that what is there has on the outside; where there is none such, the issue is about all of them.
function meant(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union' || !isStock(issue.message)) return issue
  const each = issue.errors.flatMap((issues) => mainIssue(issues) ?? []).map((one) => meant(one))
  const outside = new Set(['invalid_type', 'invalid_value', 'invalid_union'])
  const inner = each.find(
    ({ path, code, message }) => path.length > 0 || !outside.has(code) || !isStock(message),
  )
  return inner ? { ...inner, path: [...issue.path, ...inner.path] } : issue
}

/** What is known of what belongs there; of what is brought into its shape first, that shape. */
function wantedAt(schema: z.ZodType, path: readonly PropertyKey[]): JsonSchema | undefined {
  const [input, output] = (['input', 'output'] as const).map((io) =>
    // `unrepresentable: 'any'`: what is checked by a function is nothing that JSON Schema knows.
    schemaAt(z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema, path),
  )
  return input && Object.keys(input).some((key) => KINDS.has(key)) ? input : output
}

const KINDS = new Set(['type', 'anyOf', 'enum', 'const', 'allOf'])

function keysOf({ properties = {}, anyOf = [] }: JsonSchema = {}): readonly string[] {
  return [...Object.keys(properties), ...anyOf.flatMap((one) => keysOf(one))]
}

function refusal(given: unknown, wanted: JsonSchema, words: string): string {
  const kind = kindOf(given)
  if (kind !== undefined) return `it is ${kind}, not ${words}`
  const text = typeof given === 'string' ? quoted(given) : String(given)
  return `${text} ${othersOf(wanted, quoted) ?? `is not ${words}`}`
}

function unknownKey(key: string, known: readonly string[]): Pick<ValueFault, 'message' | 'hint'> {
  const hint = didYouMean(key, known) ?? (known.length > 0 ? `It may have: ${known.join(', ')}.` : undefined)
  return { message: `it has the unknown key '${key}'`, hint }
}

// A list and an object are written otherwise than they are typed on a command line.
function wordsOf(schema: JsonSchema, given: unknown): string | undefined {
  const { minLength: _length, maxLength: _most, pattern: _pattern, anyOf, ...rest } = schema
  const [only, second] = valuesOf(schema)
  if (only !== undefined) return second === undefined ? quoted(only) : expectedOf(schema)?.words
  if (anyOf) {
    const each = anyOf.map((one) => wordsOf(one, given))
    return each.includes(undefined) ? undefined : [...new Set(each)].join(', or ')
  }
  if (schema.type === 'array') return 'a list'
  if (schema.type === 'object') return shapeOf(schema)
  // What a text must look like concerns texts only; that it may not be empty is told where it is.
  return expectedOf(typeof given === 'string' ? schema : rest)?.words
}

/** `{ url: … }` by what it must have, `{ name: { roles: … } }` where its keys are names. */
function shapeOf({ required = [], additionalProperties: rest }: JsonSchema): string {
  if (required.length > 0) return `{ ${required.map((key) => `${key}: …`).join(', ')} }`
  if (typeof rest !== 'object') return 'an object'
  return `{ name: ${rest.type === 'object' ? shapeOf(rest) : '…'} }`
}

function hintFor(given: unknown, wanted: JsonSchema): string | undefined {
  if (typeof given !== 'string') return undefined
  const bare = given.trim()
  if (wanted.type === 'array' && bare !== '' && !hasPassword(given))
    return `Write it as a list: [${bare
      .split(/\s*,\s*/)
      .map(quoted)
      .join(', ')}]`
  const isNumber = wanted.type === 'integer' || wanted.type === 'number'
  if (wanted.type === 'boolean' ? /^(true|false)$/.test(given) : isNumber && /^\d+$/.test(given))
    return `Write it without quotes: ${given}`
  return didYouMean(given, valuesOf(wanted))
}

function schemaAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  const [part, ...more] = path
  if (part === undefined) return schema
  const { properties = {}, additionalProperties: rest, items, anyOf = [] } = schema
  const own = typeof part === 'number' ? items : properties[String(part)]
  const next = own ?? (typeof rest === 'object' ? rest : undefined)
  if (next) return schemaAt(next, more)
  return anyOf.map((one) => schemaAt(one, path)).find((found) => found !== undefined)
}

/** As far as the path leads: what a schema wraps into an object before it looks at it is itself. */
function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(
    (at, part) =>
      typeof at === 'object' && at !== null ? (at as Readonly<Record<PropertyKey, unknown>>)[part] : at,
    value,
  )
}

/** What is not to be shown, or too long for it, is named by its kind. */
function kindOf(given: unknown): string | undefined {
  if (typeof given === 'string') return hasPassword(given) ? 'a URL' : undefined
  if (isSecret(given)) return 'a secret'
  if (Array.isArray(given)) return 'a list'
  if (given instanceof Promise) return 'a promise'
  if (typeof given === 'object' && given !== null) return 'an object'
  return typeof given === 'function' ? 'a function' : undefined
}

// It may hold one: who is at the keyboard is not the only one who sees a screen.
function hasPassword(text: string): boolean {
  return /:\/\/[^/]*@/.test(text)
}

/** On one line and not longer than a line. */
function quoted(text: string): string {
  const line = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  return `'${line.length > 60 ? `${line.slice(0, 57)}…` : line}'`
}
