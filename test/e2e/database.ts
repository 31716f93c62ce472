import { execFileSync } from 'node:child_process'

/** Runs SQL and returns its rows, one a line, columns divided by `|`. */
export function psql(url: string, sql: string): string {
  const args = ['--no-psqlrc', '--no-password', '-v', 'ON_ERROR_STOP=1', '-qAt', url, '-c', sql]
  return execFileSync('psql', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trimEnd()
}

/**
 * What is in a database, so that two can be compared row for row: of every table its columns, its number of rows and a digest of
 * them that does not depend on their order; and where every sequence stands.
 */
export function contents(url: string): Readonly<Record<string, string>> {
  const tables = psql(url, "select tablename from pg_tables where schemaname = 'public' order by 1")
  const sequences = psql(url, "select sequencename from pg_sequences where schemaname = 'public' order by 1")
  const found: Record<string, string> = {}
  for (const table of lines(tables)) {
    const columns = psql(
      url,
      `select string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position)
         from information_schema.columns where table_schema = 'public' and table_name = '${table}'`,
    )
    const rows = psql(
      url,
      `select count(*), md5(string_agg(md5(t::text), '' order by md5(t::text))) from public."${table}" t`,
    )
    found[`table ${table}`] = `(${columns}) ${rows}`
  }
  for (const sequence of lines(sequences)) {
    found[`sequence ${sequence}`] = psql(url, `select last_value, is_called from public."${sequence}"`)
  }
  return found
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Rows that look like those of an app in use: several tables, foreign keys, text with quotes, accents and line ends. */
export function fillWithCustomers(url: string): void {
  psql(
    url,
    `insert into disasters (name, happened_on)
       select E'Désastre ''' || n || E'''\\n"quoted" \\\\ 雨', date '2026-01-01' + n from generate_series(1, 300) n;
     insert into reports (disaster_id, body)
       select d.id, repeat('Seen by witness ' || n || '. ', 1 + n % 7) from disasters d, generate_series(1, 20) n;
     delete from reports where id % 11 = 0`,
  )
}
