import type { AskHidden } from '../port/question.ts'
import type { SecretReader } from '../port/secret-reader.ts'
import { Problem } from '../problem/problem.ts'
import { registerSecret } from './redact.ts'
import { registry } from './registry.ts'

const BRAND = Symbol.for('deployfile.secret')

/** A value that prints as `***` everywhere and is read only when it is used. */
export interface Secret {
  readonly [BRAND]: true
  /** What it is called in messages and in a journal: `env X`. */
  readonly name: string
  toString(): string
  toJSON(): { readonly $secret: string }
}

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

export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && BRAND in value
}

/**
 * The plain value, for the moment of use. Pass it on by standard input or a 0600 file, never in argv: the shells' options `secrets` and
 * `input` do that. A file is read, a command run and a person asked once in a process.
 * @throws Problem `SECRET_MISSING` (check) naming what is not set
 */
export function reveal(secret: Secret): string {
  const read = registry.readers.get(secret)
  if (!read)
    throw new Problem('usage', 'SECRET_FOREIGN', `the secret ${secret.name} was not made by secret.…`)
  const value = read()
  registerSecret(value)
  return value
}

/**
 * As {@link reveal}, for those who can wait: where the program has a way to ask that does not stop everything else, a prompt takes it.
 * Several who wait for one secret get the one answer.
 * @throws Problem `SECRET_MISSING` (check), also when the person gave up
 */
export async function openSecret(secret: Secret): Promise<string> {
  const { name } = secret
  const { ask } = registry
  const label = name.startsWith(PROMPT) ? name.slice(PROMPT.length) : undefined
  if (
    ask &&
    label !== undefined &&
    !registry.read.has(name) &&
    fromEnvironment(variableOf(label)) === undefined
  ) {
    const asked = registry.asking.get(name) ?? answered(name, label, ask)
    registry.asking.set(name, asked)
    try {
      await asked
    } finally {
      registry.asking.delete(name)
    }
  }
  return reveal(secret)
}

async function answered(name: string, label: string, ask: AskHidden): Promise<string> {
  const answer = await ask({ message: label })
  if (answer === undefined || answer === '')
    throw missing(`nobody gave the ${label}`, `Set ${variableOf(label)} where nobody can be asked.`)
  registry.read.set(name, answer)
  return answer
}

const PROMPT = 'prompt '

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

function fromEnvironment(name: string): string | undefined {
  const value = process.env[name]
  return value === '' ? undefined : value
}

function missingVariable(name: string): never {
  throw missing(
    `the environment variable ${name} is not set`,
    `Set it for this command: ${name}=… npx deployfile …`,
  )
}

function missing(message: string, hint?: string): Problem {
  return new Problem('check', 'SECRET_MISSING', message, { hint })
}

function variableOf(label: string): string {
  return `SECRET_${label
    .trim()
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')}`
}
