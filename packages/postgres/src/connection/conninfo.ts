import { PARAMETERS, type Connection } from './url.ts'

/**
 * A libpq connection string for `-d`. Every value stands in quotes: as a bare `-d` value a database called `x?host=evil` or
 * `host=evil` would choose the server that our password is sent to.
 */
export function conninfo(connection: Connection): string {
  const { database, host, port, user, parameters } = connection
  const pairs = Object.entries({ host, port, user, dbname: database, ...parameters })
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}='${String(value).replace(/[\\']/g, '\\$&')}'`)
    .join(' ')
}

/** The parameters of the URL as libpq's variables, for a program that is given no connection string. */
export function parameterVariables(connection: Connection): Record<string, string> {
  // Not of a URL's: a tunnel's, whose address is not the one that the name of the server has.
  const names: Readonly<Record<string, string>> = { ...PARAMETERS, hostaddr: 'PGHOSTADDR' }
  return Object.fromEntries(
    Object.entries(connection.parameters).map(([key, value]) => [names[key] ?? key, value]),
  )
}

export interface SessionOptions {
  /** For a database that is only read: the server itself then refuses every write. */
  readonly readOnly: boolean
}

/** What every client program of ours is started with. Nothing in it is secret. */
export function sessionVariables({ readOnly }: SessionOptions): Record<string, string> {
  const settings = ['statement_timeout=0', 'lock_timeout=30s', 'idle_in_transaction_session_timeout=0']
  if (readOnly) settings.push('default_transaction_read_only=on')
  return {
    PGCONNECT_TIMEOUT: '10',
    PGAPPNAME: 'deployfile',
    // Their messages are read; without this they come in the language of the host.
    LC_ALL: 'C',
    PGOPTIONS: settings.map((setting) => `-c ${setting}`).join(' '),
  }
}

/** The same server and login, another database. */
export function inDatabase(connection: Connection, database: string): Connection {
  return { ...connection, database }
}
