import { Problem } from '../problem/problem.ts'
import { isSecret } from './secret.ts'
import { secretNamed } from './sources.ts'

/**
 * A value that comes back from JSON, with `{"$secret": name}` as the secret of that name again. Other values, secrets among them, are copied
 * as they are.
 * @throws Problem `SECRET_UNKNOWN` (check) with the path of a secret that this process has not made
 */
export function reviveSecrets(value: unknown): unknown {
  return revive(value, '')
}

function revive(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || isSecret(value)) return value
  if (Array.isArray(value))
    return value.map((item: unknown, index) => revive(item, `${path}[${String(index)}]`))
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0] === '$secret' && typeof first[1] === 'string') {
    const found = secretNamed(first[1])
    if (found) return found
    throw new Problem(
      'check',
      'SECRET_UNKNOWN',
      `${path === '' ? 'a value' : `'${path}'`} was the secret '${first[1]}', which the config does not have any more`,
      { hint: 'A run is continued with the secrets that it was started with: put it back into the config.' },
    )
  }
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, revive(inner, path === '' ? key : `${path}.${key}`)]),
  )
}
