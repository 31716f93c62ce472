import { didYouMean, Problem } from '@deployfile/core'

/** Where a database is, as seen from the host whose client programs connect to it. Never holds a password. */
export interface Connection {
  readonly database: string
  /** A name, an address or the folder of a unix socket. Absent: libpq's default (PGHOST, else the local socket). */
  readonly host?: string
  readonly port?: number
  readonly user?: string
  /** `sslmode` and its like, by their libpq names. */
  readonly parameters: Readonly<Record<string, string>>
}

/** libpq's parameters that a URL may carry, and the variables that mean the same (documentation of PostgreSQL, 34.15). */
export const PARAMETERS: Readonly<Record<string, string>> = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcrl: 'PGSSLCRL',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
}

const URL_PARTS = /^postgres(?:ql)?:\/\/(?:([^@/]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/
const PLACE_KEYS = ['host', 'port', 'user', 'password', 'dbname']

/**
 * Reads a connection URL by libpq's own grammar (an empty host is allowed, a socket folder may stand percent-encoded in its place).
 * @throws Problem `DATABASE_URL_INVALID` (usage); the message never repeats the URL, which may hold a password
 */
export function parseDatabaseUrl(url: string): { connection: Connection; password?: string } {
  const [, userInfo, place = '', path, query] =
    URL_PARTS.exec(url) ?? invalid('does not start with postgresql://')
  const [user, password] = splitOnce(userInfo ?? '', ':')
  const { host, port } = splitPlace(place)
  const values = new Map<string, string>()
  for (const pair of (query ?? '').split('&').filter((text) => text !== '')) {
    const [key, value] = splitOnce(pair, '=')
    if (value === undefined) invalid(`has the parameter '${key}' without a value`)
    values.set(decode(key), decode(value))
  }
  const given = (key: string, text: string | undefined): string | undefined => {
    const value = values.get(key) ?? (text === undefined ? undefined : decode(text))
    values.delete(key)
    return value === '' ? undefined : value
  }
  const found = {
    database: given('dbname', path) ?? invalid('names no database: postgresql://user@host/database'),
    host: given('host', host),
    port: readPort(given('port', port)),
    user: given('user', user),
  }
  const secret = given('password', password)
  for (const key of values.keys()) checkParameter(key)
  if (found.host?.includes(',')) invalid('names several hosts; name the one that is meant')
  const { database, ...rest } = found
  const connection = { database, ...withoutUndefined(rest), parameters: Object.fromEntries(values) }
  return secret === undefined ? { connection } : { connection, password: secret }
}

function splitPlace(text: string): { host: string; port?: string } {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text)
  const [host, port] = bracketed ? [bracketed[1] ?? '', bracketed[2]] : splitOnce(text, ':')
  return port === undefined ? { host } : { host, port }
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) invalid(`has the port '${text}'`)
  return port
}

function checkParameter(key: string): void {
  if (Object.hasOwn(PARAMETERS, key)) return
  const known = [...Object.keys(PARAMETERS), ...PLACE_KEYS]
  invalid(`has the parameter '${key}'`, didYouMean(key, known) ?? `Known are ${known.join(', ')}.`)
}

function decode(text: string): string {
  let value: string
  try {
    value = decodeURIComponent(text)
  } catch {
    return invalid('has a % that is not followed by two hexadecimal digits')
  }
  // A line break would end a line of the password file, and no server has such names for good reasons.

  if (/[\u0000-\u001f\u007f]/.test(value)) invalid('contains control characters')
  return value
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

function invalid(
  what: string,
  hint = 'Write postgresql://user@host:5432/database; special characters as %40 and the like.',
): never {
  throw new Problem('usage', 'DATABASE_URL_INVALID', `the URL of a database ${what}`, { hint })
}
