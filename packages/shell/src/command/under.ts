import { type CommandOptions, isSecret, milliseconds, Problem } from '@deployfile/core'
import type { Order } from './order.ts'
import { passable, quote, quotePath, secretInCommand } from './quote.ts'

/** `cd` failed: a status that `test` never reads as "false". EX_NOINPUT of sysexits.h. */
export const NO_FOLDER = 66

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** What useradd takes, and `#1000`. */
const USER = /^(?:[A-Za-z_][A-Za-z0-9._@-]*\$?|#\d+)$/

/**
 * The order under `options`: its folder, umask and environment set before anything of it runs.
 * @throws Problem `ENV_NAME`, `COMMAND_OPTIONS`, `SECRET_IN_COMMAND`, `VALUE_UNQUOTABLE`, `PATH_EMPTY` (usage)
 */
export function under(options: CommandOptions, order: Order): Order {
  const { cwd, umask, env = {}, secrets = {}, user, input, output, pty, reads } = options
  const setup: string[] = []
  if (cwd !== undefined) setup.push(`cd ${quotePath(cwd)} || exit ${String(NO_FOLDER)}`)
  if (umask !== undefined) setup.push(`umask ${umask.toString(8).padStart(4, '0')}`)
  for (const [name, value] of Object.entries(env))
    setup.push(`export ${named(name)}=${quote(plain(name, value))}`)
  for (const [name, value] of Object.entries(secrets)) {
    if (!isSecret(value))
      throw refused(
        `secrets.${named(name)} is not a secret`,
        "Write secret.env('…'), or use env for what may be seen.",
      )
  }
  if (user !== undefined && !USER.test(user))
    throw refused(`user is ${JSON.stringify(user)}, which is no name of a user`)
  const timeout = duration('timeout', options.timeout)
  const idle = duration('idle', options.idle)
  const given = order.input ?? input
  if (pty === true && (given !== undefined || Object.keys(secrets).length > 0)) {
    throw refused(
      'a command with a terminal (pty) takes no input and no secrets, because a terminal changes what is typed into it',
      'Leave pty out, or put what it reads into a file with writeFile first.',
    )
  }
  return {
    ...order,
    ...(setup.length > 0 && { setup: setup.join('\n') }),
    ...(cwd !== undefined && { cwd }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
    ...(user !== undefined && { user }),
    ...(pty === true && { pty }),
    ...(reads === true && { reads }),
    ...(output && !order.into && { into: output }),
    ...(timeout !== undefined && order.timeout === undefined && { timeout }),
    ...(idle !== undefined && order.idle === undefined && { idle }),
    ...(given !== undefined && { input: given }),
  }
}

/** The options of one call over those of its shell; variables are added up. */
export function merge(defaults: CommandOptions, options: CommandOptions): CommandOptions {
  const env = { ...defaults.env, ...options.env }
  const secrets = { ...defaults.secrets, ...options.secrets }
  return {
    ...defaults,
    ...options,
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
  }
}

function named(name: string): string {
  if (NAME.test(name)) return name
  throw new Problem('usage', 'ENV_NAME', `'${name}' is not a name of an environment variable`)
}

function plain(name: string, value: unknown): string {
  if (isSecret(value)) throw secretInCommand(value, `the environment variable ${name} of a command`)
  if (typeof value !== 'string')
    throw refused(`env.${name} is ${value === null ? 'null' : `a ${typeof value}`}, not text`)
  return passable(value)
}

function duration(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  const found = milliseconds(value)
  if (found !== undefined) return found
  throw refused(`${name} is ${JSON.stringify(value)}`, "Write '30s', '10m', '2h' or milliseconds.")
}

function refused(message: string, hint?: string): Problem {
  return new Problem('usage', 'COMMAND_OPTIONS', message, { hint })
}
