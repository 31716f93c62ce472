import type { Shell } from '@deployfile/core'
import type { Programs } from '../client/programs.ts'

/** The table of contents, counted. */
export interface Counts {
  readonly entries: number
  readonly tables: number
  readonly tablesWithData: number
  /** Entries of large objects. */
  readonly largeObjects: number
}

export interface Contents extends Counts {
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
const COUNT = `
count() { grep -Ec "$1" "$toc" || true; }
count '${ENTRY}'
count '${TABLE}'
count '${TABLE_DATA}'
count '${LARGE_OBJECT}'
`
const CONTENTS = `
umask 077
toc=$(mktemp)
trap 'rm -f "$toc"' EXIT
"$1" -l "$2" >"$toc"
${COUNT}
sed -nE 's/^[0-9]+; 3079 [0-9]+ EXTENSION - ([^ ]+).*/\\1/p' "$toc"
`
// The table of contents stands at the front of an archive, and pg_restore reads no further for it.
const LIST_FROM_INPUT = `# read the table of contents of an archive
umask 077
toc=$4
"$1" -l >"$toc"
${COUNT}
grep -Ev "$3" "$toc" >"$2" || [ $? -eq 1 ]
rm -f "$toc"
grep -Ec '${ENTRY}' "$2" || true
`
const LIST = `
umask 077
"$1" -l "$2" >"$5"
grep -Ev "$4" "$5" >"$3" || [ $? -eq 1 ]
rm -f "$5"
grep -Ec '${ENTRY}' "$3" || true
`

/** All entries of an archive, beside the list of those that are wanted while that is made. */
export function allOf(list: string): string {
  return `${list}.all`
}

/** Reads the table of contents. It cannot see that the end of a file is missing. */
export async function readContents(shell: Shell, programs: Programs, file: string): Promise<Contents> {
  const { stdout } = await shell.script(CONTENTS, [`${programs.folder}/pg_restore`, file], { reads: true })
  const [entries, tables, tablesWithData, largeObjects, ...extensions] = stdout.trim().split('\n')
  return { ...countsOf([entries, tables, tablesWithData, largeObjects]), extensions }
}

function countsOf(lines: readonly (string | undefined)[]): Counts {
  const [entries = 0, tables = 0, tablesWithData = 0, largeObjects = 0] = lines.map(Number)
  return { entries, tables, tablesWithData, largeObjects }
}

/**
 * Reads the table of contents of an archive from its beginning, and no more of it than that, and writes the list of entries to restore
 * as {@link writeList} does. `listed`: how many these are.
 */
export async function listFrom(
  shell: Shell,
  programs: Programs,
  archive: AsyncIterable<Uint8Array>,
  list: string,
): Promise<Counts & { readonly listed: number }> {
  const { stdout } = await shell.script(
    LIST_FROM_INPUT,
    [`${programs.folder}/pg_restore`, list, UNWANTED, allOf(list)],
    {
      input: archive,
    },
  )
  const lines = stdout.trim().split('\n')
  return { ...countsOf(lines), listed: Number(lines.at(-1)) }
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
  const { stdout } = await shell.script(LIST, [
    `${programs.folder}/pg_restore`,
    file,
    list,
    unwanted,
    allOf(list),
  ])
  return Number(stdout.trim())
}
