import type { JsonSchema } from './json-schema.ts'

/** What a schema's own words say of a value, as Standard Schema has it; zod adds a code. */
export interface InputIssue {
  readonly message: string
  readonly code?: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[]
}

/** What one key takes: `a whole number from 1 to 8`, and one such value as it is typed. */
export interface Expected {
  readonly words: string
  readonly example: string
}

/** The values of an enum, a literal, or a choice of those. */
export function valuesOf({ enum: names, const: only, anyOf = [] }: JsonSchema): readonly string[] {
  if (names) return names.map(String)
  if (typeof only === 'string' || typeof only === 'number') return [String(only)]
  const each = anyOf.map((one) => valuesOf(one))
  return each.length > 0 && each.every((values) => values.length > 0) ? each.flat() : []
}

/** zod writes the whole range of safe integers out. */
export function isLimit(number: number | undefined): number is number {
  return number !== undefined && Math.abs(number) < Number.MAX_SAFE_INTEGER
}

/** `is neither dev nor prod`: where a schema has several values, and they can all be named. `quoted`: as they are shown. */
export function othersOf(schema: JsonSchema, quoted: (value: string) => string): string | undefined {
  const [first, second, ...more] = valuesOf(schema).map(quoted)
  if (first === undefined || second === undefined) return undefined
  return more.length === 0
    ? `is neither ${first} nor ${second}`
    : `is none of ${[first, second, ...more].join(', ')}`
}

// zod's own English. A message that a config gives, or zod's in a language that a config chose, is none of these.
const STOCK =
  /^(Invalid input$|Invalid input: expected |Invalid option: expected |Too (big|small): expected |Invalid string: must |Invalid number: must be a multiple of |Invalid (ISO (date|datetime|time|duration)|email address|URL|UUID|IPv4 address|IPv6 address)$)/

/** Is it zod's own, and not its author's? */
export function isStock(message: string): boolean {
  return STOCK.test(message)
}

/** What fits a schema, as it is typed on a command line. */
export function expectedOf(schema: JsonSchema): Expected | undefined {
  const { type, anyOf, allOf } = schema
  // Several patterns at once, or of several schemas: no short sentence holds them.
  if (allOf) return undefined
  const [first] = valuesOf(schema)
  if (first !== undefined) return { words: valuesOf(schema).join(' or '), example: first }
  if (anyOf) {
    const each = anyOf.flatMap((one) => (one.type === 'null' ? [] : [expectedOf(one)]))
    const known = each.flatMap((one) => one ?? [])
    const [example] = known
    if (example === undefined || known.length < each.length) return undefined
    return { words: [...new Set(known.map(({ words }) => words))].join(' or '), example: example.example }
  }
  if (type === 'boolean') return { words: 'true or false', example: 'true' }
  if (type === 'integer' || type === 'number') return { words: numberWords(schema), example: aNumber(schema) }
  if (type === 'array') return listOf(schema)
  return type === 'string' ? textOf(schema) : undefined
}

function numberWords({ type, multipleOf, ...schema }: JsonSchema): string {
  const limits = [
    ...(isLimit(schema.minimum) ? [`from ${String(schema.minimum)}`] : []),
    ...(isLimit(schema.exclusiveMinimum) ? [`above ${String(schema.exclusiveMinimum)}`] : []),
    ...(isLimit(schema.maximum) ? [`to ${String(schema.maximum)}`] : []),
    ...(isLimit(schema.exclusiveMaximum) ? [`below ${String(schema.exclusiveMaximum)}`] : []),
    ...(isLimit(multipleOf) && multipleOf !== 1 ? [`that is a multiple of ${String(multipleOf)}`] : []),
  ]
  return [type === 'integer' ? 'a whole number' : 'a number', ...limits].join(' ')
}

/** The default, else the least that fits. */
function aNumber(schema: JsonSchema): string {
  if (typeof schema.default === 'number') return String(schema.default)
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf: step = 1 } = schema
  const fits = (number: number): boolean =>
    (!isLimit(minimum) || number >= minimum) &&
    (!isLimit(maximum) || number <= maximum) &&
    (!isLimit(exclusiveMinimum) || number > exclusiveMinimum) &&
    (!isLimit(exclusiveMaximum) || number < exclusiveMaximum)
  const least = [minimum, exclusiveMinimum].filter(isLimit)
  const from = least.length === 0 ? 0 : Math.ceil(Math.max(...least) / step) * step
  const most = [maximum, exclusiveMaximum].filter(isLimit)
  const to = most.length === 0 ? from : Math.floor(Math.min(...most) / step) * step
  const found = [from === 0 ? step : from, from, from + step, to, to - step].find(fits)
  return found === undefined ? '' : String(found)
}

function listOf({ items = {}, minItems, maxItems }: JsonSchema): Expected | undefined {
  const each = expectedOf(items)
  if (each === undefined) return undefined
  const least = minItems === undefined || minItems === 0 ? [] : [`at least ${String(minItems)}`]
  const most = maxItems === undefined ? [] : [`at most ${String(maxItems)}`]
  const limits = [...least, ...most].join(' and ')
  const words = `a list with commas${limits === '' ? '' : `, of ${limits}`}, each ${each.words}`
  return {
    words,
    example:
      each.example === ''
        ? ''
        : Array(Math.max(1, minItems ?? 0))
            .fill(each.example)
            .join(','),
  }
}

const FORMATS: Readonly<Record<string, Expected>> = {
  date: { words: 'a date', example: '2026-01-31' },
  'date-time': { words: 'a date with its time', example: '2026-01-31T18:00:00Z' },
  time: { words: 'a time', example: '18:00:00' },
  duration: { words: 'a duration of ISO 8601', example: 'PT10M' },
  email: { words: 'an email address', example: 'who@example.com' },
  uri: { words: 'a URL', example: 'https://example.com' },
  uuid: { words: 'a UUID', example: '' },
  ipv4: { words: 'an IPv4 address', example: '192.0.2.1' },
  ipv6: { words: 'an IPv6 address', example: '2001:db8::1' },
}

function textOf({
  format,
  pattern,
  minLength: least,
  maxLength: most,
  default: preset,
}: JsonSchema): Expected | undefined {
  if (format !== undefined) return FORMATS[format]
  const letters = (count: number): string => `${String(count)} character${count === 1 ? '' : 's'}`
  const length =
    least !== undefined && most !== undefined
      ? [least === most ? `of ${letters(least)}` : `of ${String(least)} to ${letters(most)}`]
      : [
          ...(least === undefined ? [] : [`of at least ${letters(least)}`]),
          ...(most === undefined ? [] : [`of at most ${letters(most)}`]),
        ]
  const words = ['text', ...length, ...(pattern === undefined ? [] : [`that matches /${pattern}/`])].join(' ')
  return { words, example: typeof preset === 'string' ? preset : '' }
}
