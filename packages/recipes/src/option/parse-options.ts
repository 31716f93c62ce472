import type * as z from 'zod'
import { didYouMean, Problem } from '@deployfile/core'

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
  const issue = parsed.error.issues[0]
  const known = Object.keys(schema.shape ?? {})
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    throw new Problem('usage', 'OPTION_INVALID', `${name}() has no option '${key}'`, {
      key,
      hint: didYouMean(key, known) ?? `It has ${known.join(', ')}.`,
    })
  }
  const key = issue?.path.join('.') ?? ''
  const missing = issue?.path.length === 1 && valueAt(options, key) === undefined
  throw new Problem(
    'usage',
    'OPTION_INVALID',
    missing
      ? `${name}() needs the option '${key}'`
      : `the option '${key}' of ${name}() is wrong: ${issue?.message ?? ''}`,
    { key },
  )
}

function valueAt(options: unknown, key: string): unknown {
  return typeof options === 'object' && options !== null
    ? (options as Record<string, unknown>)[key]
    : undefined
}
