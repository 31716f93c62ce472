import type { Shell } from '@deployfile/core'
import type { Programs } from '../client/programs.ts'

/** The table of contents, counted. */
export interface Contents {
  readonly entries: number
  readonly tables: number
  readonly tablesWithData: number
  /** Entries of large objects. */
  readonly largeObjects: number
  readonly extensions: readonly string[]
}

// An entry reads `215; 1259 16386 TABLE public orders app`: id; catalog, oid, kind, schema, name, owner.
const TABLE = '^[0-9]+; 1259 [0-9]+ TABLE '
const TABLE_DATA = '^[0-9]+; 0 [0-9]+ TABLE DATA '
const LARGE_OBJECT = '^[0-9]+; 2613 '
const ENTRY = '^[0-9]+; '

/**
 * Entries that a restore leaves out. Every new database has the schema public, and only a superuser may comment on an extension of
 * another: both would be errors, and errors end a restore. A copied subscription would take part in replication in the original's place.
 */
export const UNWANTED =
  '^[0-9]+; [0-9]+ [0-9]+ (SCHEMA - public |COMMENT - SCHEMA public |COMMENT - EXTENSION |SUBSCRIPTION )'

// grep gives 1 for "no line", which is an answer here; tables of contents of any length stay on the host.
const CONTENTS = `
umask 077
toc=$(mktemp)
trap 'rm -f "$toc"' EXIT
"$1" -l "$2" >"$toc"
count() { grep -Ec "$1" "$toc" || true; }
count '${ENTRY}'
count '${TABLE}'
count '${TABLE_DATA}'
count '${LARGE_OBJECT}'
sed -nE 's/^[0-9]+; 3079 [0-9]+ EXTENSION - ([^ ]+).*/\\1/p' "$toc"
`
const LIST = `
umask 077
"$1" -l "$2" >"$3.all"
grep -Ev "$4" "$3.all" >"$3" || true
rm -f "$3.all"
grep -Ec '${ENTRY}' "$3" || true
`

/** Reads the table of contents. It cannot see that the end of a file is missing. */
export async function readContents(shell: Shell, programs: Programs, file: string): Promise<Contents> {
  const { stdout } = await shell.script(CONTENTS, [`${programs.folder}/pg_restore`, file], { reads: true })
  const [entries, tables, tablesWithData, largeObjects, ...extensions] = stdout.trim().split('\n')
  return {
    entries: Number(entries),
    tables: Number(tables),
    tablesWithData: Number(tablesWithData),
    largeObjects: Number(largeObjects),
    extensions,
  }
}

/**
 * Writes the list of entries to restore: all but those that cannot be restored by everybody, and the extensions named, which are there
 * already. Gives how many are left.
 */
export async function writeList(
  shell: Shell,
  programs: Programs,
  file: string,
  list: string,
  present: readonly string[] = [],
): Promise<number> {
  const extensions = present.map((name) => name.replace(/[^A-Za-z0-9_-]/g, '.')).join('|')
  const unwanted =
    extensions === '' ? UNWANTED : `${UNWANTED}|^[0-9]+; 3079 [0-9]+ EXTENSION - (${extensions}) `
  const { stdout } = await shell.script(LIST, [`${programs.folder}/pg_restore`, file, list, unwanted])
  return Number(stdout.trim())
}
