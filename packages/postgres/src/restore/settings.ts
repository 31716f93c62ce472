import { identifier, literal } from '../sql/quote.ts'
import type { LiveDatabase } from './live.ts'

/** Statement that makes an empty database of the same owner, encoding and locale; with no live one, of the server's defaults. */
export function createStatement(name: string, live: LiveDatabase | undefined): string {
  const parts = [`CREATE DATABASE ${identifier(name)} TEMPLATE template0`]
  if (live) {
    parts.push(`OWNER ${identifier(live.owner)} ENCODING ${literal(live.encoding)}`, ...locale(live))
    // template0 stands in pg_default, and naming even that one asks for a right on it that an ordinary owner has not.
    if (live.tablespace !== 'pg_default') parts.push(`TABLESPACE ${identifier(live.tablespace)}`)
  }
  return `${parts.join(' ')};`
}

function locale({ row }: LiveDatabase): string[] {
  const text = (...columns: string[]): string | undefined => {
    const value = columns.map((column) => row[column]).find((one) => one !== undefined && one !== null)
    return value === undefined ? undefined : String(value)
  }
  const parts = [`LC_COLLATE ${literal(String(row.datcollate))} LC_CTYPE ${literal(String(row.datctype))}`]
  // pg_database.datlocprovider since 15; the locale's column was daticulocale until 17.
  const name = text('datlocale', 'daticulocale')
  const provider = text('datlocprovider')
  if (provider === 'i' && name !== undefined) parts.push(`LOCALE_PROVIDER icu ICU_LOCALE ${literal(name)}`)
  if (provider === 'b' && name !== undefined)
    parts.push(`LOCALE_PROVIDER builtin BUILTIN_LOCALE ${literal(name)}`)
  const rules = text('daticurules')
  if (rules !== undefined) parts.push(`ICU_RULES ${literal(rules)}`)
  return parts
}

/** Statements that give a database what the live one has: rights, limits, settings, comment. */
export function copyStatements(name: string, live: LiveDatabase): string[] {
  const target = identifier(name)
  const statements: string[] = []
  if (live.grants) {
    statements.push(`REVOKE ALL ON DATABASE ${target} FROM PUBLIC, ${identifier(live.owner)};`)
    for (const { grantee, privilege, grantable } of live.grants) {
      const to = grantee === null ? 'PUBLIC' : identifier(grantee)
      statements.push(
        `GRANT ${privilege} ON DATABASE ${target} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''};`,
      )
    }
  }
  for (const { role, name: setting, value } of live.settings) {
    const scope = role === null ? `DATABASE ${target}` : `ROLE ${identifier(role)} IN DATABASE ${target}`
    statements.push(`ALTER ${scope} SET ${settingName(setting)} TO ${settingValue(setting, value)};`)
  }
  if (live.comment !== null) statements.push(`COMMENT ON DATABASE ${target} IS ${literal(live.comment)};`)
  const template = live.row.datistemplate === true ? ' IS_TEMPLATE true' : ''
  statements.push(`ALTER DATABASE ${target} WITH CONNECTION LIMIT ${live.connectionLimit}${template};`)
  return statements
}

/** A setting of an extension has a dot, which must stay outside of the quotes. */
function settingName(name: string): string {
  return name.split('.').map(identifier).join('.')
}

// Settings that PostgreSQL stores as a list of quoted names (GUC_LIST_QUOTE, src/bin/pg_dump/dumputils.c): given back as one literal
// they would become one long name.
const LISTS = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]

function settingValue(name: string, value: string): string {
  if (!LISTS.includes(name.toLowerCase())) return literal(value)
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)]
  if (names.length === 0) return "''"
  return names.map(([, quoted, plain]) => literal(quoted?.replaceAll('""', '"') ?? plain ?? '')).join(', ')
}
