import type * as z from 'zod'
import { didYouMean, mainIssue, Problem, valueFault } from '@deployfile/core'

/**
 * Checks options against a schema.
 * @throws Problem `OPTION_INVALID` (usage) that names the function, the key and what is wrong with it
 */
export function parseOptions<T>(
  name: string,
  schema: z.ZodType<T> & { readonly shape?: object },
  options: unknown,
): T {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const issue = mainIssue(parsed.error.issues)
  if (!issue) throw parsed.error
  const known = Object.keys(schema.shape ?? {})
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    const key = issue.keys[0] ?? ''
    throw new Problem('usage', 'OPTION_INVALID', `${name}() has no option '${key}'`, {
      key,
      hint: didYouMean(key, known) ?? `It has ${known.join(', ')}.`,
    })
  }
  const { path, message, hint, missing } = valueFault(schema, options, issue)
  if (path.length === 0) {
    const said =
      issue.code === 'invalid_type' ? 'takes an object of options' : `cannot take these options: ${message}`
    throw new Problem('usage', 'OPTION_INVALID', `${name}() ${said}`, { hint })
  }
  const key = path.join('.')
  const option = `the option '${key}' of ${name}()`
  const said = isUnset(options, path)
    ? `${name}() needs the option '${key}'`
    : missing === true
      ? `${option} is missing`
      : `${option} is wrong: ${message}`
  throw new Problem('usage', 'OPTION_INVALID', said, { key: inFile(path), hint })
}

/** As it can be found in a file: an entry of a list has no name there. */
function inFile(path: readonly PropertyKey[]): string {
  const last = path.findLastIndex((part) => typeof part === 'string')
  return path.slice(0, last + 1).join('.')
}

/** Is it an option itself that is not there? In a schema's own words that is a wrong one. */
function isUnset(options: unknown, [key = '', ...more]: readonly PropertyKey[]): boolean {
  const given = typeof options === 'object' && options !== null ? options : {}
  return more.length === 0 && (given as Readonly<Record<PropertyKey, unknown>>)[key] === undefined
}
