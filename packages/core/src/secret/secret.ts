import { Problem } from '../problem/problem.ts'
import { registerSecret } from './redact.ts'

const BRAND = Symbol.for('deployfile.secret')

/** A value that prints as `***` everywhere and is read only when it is used. */
export interface Secret {
  readonly [BRAND]: true
  /** What it is called in messages and in a journal: `env X`. */
  readonly name: string
  toString(): string
  toJSON(): { readonly $secret: string }
}

const values = new WeakMap<Secret, () => string>()

function make(name: string, read: () => string): Secret {
  const secret: Secret = {
    [BRAND]: true,
    name,
    toString: () => '***',
    toJSON: () => ({ $secret: name }),
    ...{ [Symbol.for('nodejs.util.inspect.custom')]: () => `Secret(${name})` },
  }
  values.set(Object.freeze(secret), read)
  return secret
}

export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && BRAND in value
}

/**
 * The plain value, for the moment of use. Pass it on by standard input or a 0600 file, never in argv.
 * @throws Problem `SECRET_MISSING` (check) naming what is not set
 */
export function reveal(secret: Secret): string {
  const read = values.get(secret)
  if (!read)
    throw new Problem(
      'usage',
      'SECRET_FOREIGN',
      `the secret ${secret.name} was made by another copy of deployfile`,
    )
  const value = read()
  registerSecret(value)
  return value
}

export const secret = {
  /** From an environment variable, read when it is needed. */
  env(name: string): Secret {
    return make(`env ${name}`, () => {
      const value = process.env[name]
      if (value === undefined || value === '') {
        throw new Problem('check', 'SECRET_MISSING', `the environment variable ${name} is not set`, {
          hint: `Set it for this command: ${name}=… npx deployfile …`,
        })
      }
      return value
    })
  },
}
