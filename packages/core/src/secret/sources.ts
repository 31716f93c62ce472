import type { SecretReader } from '../port/secret-reader.ts'
import { Problem } from '../problem/problem.ts'
import { registry } from './registry.ts'
import { BRAND, type Secret } from './secret.ts'

function make(name: string, read: () => string): Secret {
  const secret: Secret = {
    [BRAND]: true,
    name,
    toString: () => '***',
    toJSON: () => ({ $secret: name }),
    ...{ [Symbol.for('nodejs.util.inspect.custom')]: () => `Secret(${name})` },
  }
  registry.readers.set(Object.freeze(secret), read)
  registry.named.set(name, secret)
  return secret
}

/** How the names of those begin that a person is asked for; what follows is what is asked. */
export const PROMPT = 'prompt '

export const secret = {
  /** From an environment variable, read when it is needed. */
  env(name: string): Secret {
    return make(`env ${name}`, () => fromEnvironment(name) ?? missingVariable(name))
  },

  /**
   * From a file on this machine, read when it is needed. `~/` is the home; relative paths start at the folder of deploy.config.ts. The
   * line break at the end of a single line is dropped; several lines, a private key for example, are taken as they are.
   */
  file(path: string): Secret {
    return once(`file ${path}`, (reader) => reader.file(path))
  },

  /**
   * What a command on this machine prints: `secret.command('op read op://ops/db/password')`, or a program with its arguments as an
   * array. Run when it is needed, in the folder of deploy.config.ts; line breaks are dropped as for `file`.
   */
  command(command: string | readonly string[]): Secret {
    const text = typeof command === 'string' ? command : command.join(' ')
    return once(`command ${text}`, (reader) => reader.command(command))
  },

  /**
   * Asked for on the terminal when it is needed, without an echo, once for each label. Where there is no terminal it is taken from the
   * environment: `secret.prompt('sudo password')` from SECRET_SUDO_PASSWORD, which is used wherever it is set.
   */
  prompt(label: string): Secret {
    const variable = variableOf(label)
    return once(`${PROMPT}${label}`, (reader) => fromEnvironment(variable) ?? reader.prompt(label, variable))
  },
}

/**
 * The secret of a name, for one that comes back from JSON; undefined when this process made none of that name. Variables of the
 * environment need not have been made: their name is all there is to them.
 */
export function secretNamed(name: string): Secret | undefined {
  return (
    registry.named.get(name) ?? (name.startsWith('env ') ? secret.env(name.slice('env '.length)) : undefined)
  )
}

function once(name: string, read: (reader: SecretReader) => string): Secret {
  return make(name, () => {
    const known = registry.read.get(name)
    if (known !== undefined) return known
    if (!registry.reader)
      throw missing(
        `nothing here can read the secret ${name}`,
        'Secrets are read while a run has its shells open.',
      )
    const value = withoutLineEnd(read(registry.reader))
    if (value === '') throw missing(`the secret ${name} is empty`)
    registry.read.set(name, value)
    return value
  })
}

/** Editors and programs end a password with a line break that is not part of it; a key of several lines needs its last one. */
function withoutLineEnd(text: string): string {
  const bare = text.replace(/\r?\n$/, '')
  return bare.includes('\n') ? text : bare
}

export function fromEnvironment(name: string): string | undefined {
  const value = process.env[name]
  return value === '' ? undefined : value
}

function missingVariable(name: string): never {
  throw missing(
    `the environment variable ${name} is not set`,
    `Set it for this command: ${name}=… npx deployfile …`,
  )
}

export function missing(message: string, hint?: string): Problem {
  return new Problem('check', 'SECRET_MISSING', message, { hint })
}

/** The variable that stands in for a prompt where nobody can be asked. */
export function variableOf(label: string): string {
  return `SECRET_${label
    .trim()
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')}`
}
