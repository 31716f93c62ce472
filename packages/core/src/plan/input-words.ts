import { nearest } from '../problem/suggest.ts'
import { expectedOf, isStock, othersOf, valuesOf, type InputIssue } from '../schema/expected.ts'
import type { JsonSchema } from '../schema/json-schema.ts'

/**
 * What is wrong with one key, as a sentence about what was given: `jobs=x is not a whole number from 1 to 8`. Undefined where the
 * schema says it best: in words that its author chose, in another language, or about something that JSON Schema cannot tell.
 */
export function inputFault(
  key: string,
  given: unknown,
  schema: JsonSchema,
  issue: InputIssue,
): string | undefined {
  if (issue.code === 'custom' || !isStock(issue.message)) return undefined
  const found = expectedOf(schema)
  if (found === undefined) return undefined
  return `${key}=${shown(given)} ${othersOf(schema, String) ?? `is not ${found.words}`}`
}

/** What could be typed instead. */
export function inputExample(key: string, given: unknown, schema: JsonSchema): string | undefined {
  const guess = nearest(typeof given === 'string' ? given : '', valuesOf(schema))
  if (guess !== undefined) return `Did you mean ${key}=${guess}?`
  const found = expectedOf(schema)
  return found && found.example !== '' ? `For example ${key}=${found.example}` : undefined
}

/** What was typed, on one line and not longer than a line. */
function shown(given: unknown): string {
  const text = typeof given === 'string' ? given : JSON.stringify(given)
  if (text === '') return ''
  const line = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  return line.length > 60 ? `${line.slice(0, 57)}…` : line
}
