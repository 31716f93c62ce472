import { makeFolder } from '../backup/folder.ts'
import type { Stamp } from '../backup/name.ts'
import { conninfo } from '../connection/conninfo.ts'
import { openPassword, passLine } from '../connection/passfile.ts'
import type { Site } from '../site.ts'
import { openServer } from '../sql/query.ts'

export interface ConsoleOrder {
  /** What the prompt says before the name of the database: the stage. */
  readonly name: string
  /** The server refuses what writes, until the person sets default_transaction_read_only otherwise. */
  readonly readOnly: boolean
  /** Of the folder that {@link closeConsole} removes. */
  readonly stamp: Stamp
}

// The password comes on standard input, up to an empty line; what follows is what psql reads at its start.
const PREPARE = `
umask 077
mkdir "$1"
while IFS= read -r line && [ -n "$line" ]; do printf '%s\\n' "$line"; done >"$1/pgpass"
{ if [ -r "$HOME/.psqlrc" ]; then printf '%s\\n' '\\i ~/.psqlrc'; fi; cat; } >"$1/psqlrc"
`

/**
 * Gives the terminal to psql, on the site's host and database, and waits for its end. The host's own ~/.psqlrc is read; the prompt is
 * ours, so that it says where one is.
 * @throws Problem `TERMINAL_MISSING`, `TERMINAL_SHARED`, `DATABASE_UNREACHABLE`, `PG_CLIENT_MISSING` (check), and those of the shell
 */
export async function openConsole(site: Site, { name, readOnly, stamp }: ConsoleOrder): Promise<void> {
  const { shell, connection, password } = site
  const { psql } = await openServer(site, { readOnly: true, databases: [connection.database] })
  await openPassword(password)
  await makeFolder(shell, site.folder)
  const folder = consoleFolder(site, stamp)
  const pass = password === undefined ? '' : `${passLine(password)}\n`
  await shell.script(PREPARE, [folder], { input: `${pass}\n${startFile(name, readOnly)}`, reads: true })
  try {
    await attachPsql(site, psql, folder, variables(readOnly))
  } finally {
    if (!site.signal.aborted) await shell.remove(folder)
  }
}

/**
 * Both files are open by the time that psql starts, and gone from the disk where /proc leads to open files: so nothing is left of them,
 * however this ends. psql asks for no password (`-w`): one that has to be typed here would be one that the config does not have.
 */
async function attachPsql(
  { shell, connection }: Site,
  psql: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  await shell.with({ env }).attach`# psql ${connection.database}
[ -n "\${LC_ALL-}\${LC_CTYPE-}\${LANG-}" ] || export LC_CTYPE=C.UTF-8
folder=${folder}
[ ! -s "$folder/pgpass" ] || unset PGPASSWORD
if [ -e /proc/self/fd ]; then
  exec 3<"$folder/pgpass" 4<"$folder/psqlrc"
  [ ! -s "$folder/pgpass" ] || export PGPASSFILE=/proc/self/fd/3
  export PSQLRC=/proc/self/fd/4
  rm -rf "$folder"
else
  [ ! -s "$folder/pgpass" ] || export PGPASSFILE="$folder/pgpass"
  export PSQLRC="$folder/psqlrc"
fi
exec ${psql} -w -d ${conninfo(connection)}`
}

/** Removes what {@link openConsole} may have left of its files: it was cut off. */
export async function closeConsole(site: Site, stamp: Stamp): Promise<void> {
  await site.shell.remove(consoleFolder(site, stamp))
}

function consoleFolder({ folder }: Site, { time, hex }: Stamp): string {
  return `${folder}/console_${time}_${hex}`
}

/** What psql does before the first prompt. Names in it are quoted as psql reads them. */
function startFile(name: string, readOnly: boolean): string {
  const where = name.replace(/[%'\\`:\r\n]/g, '')
  const mode = readOnly ? ', read-only' : ''
  return [
    `\\set PROMPT1 '${where}${mode} %/%R%x%# '`,
    `\\set PROMPT2 '${where}${mode} %/%R%x%# '`,
    ...(readOnly
      ? [
          `\\echo '${where} is open read-only: what writes is refused. To write: write=true on the command line.'`,
        ]
      : []),
    '',
  ].join('\n')
}

function variables(readOnly: boolean): Record<string, string> {
  return {
    PGCONNECT_TIMEOUT: '10',
    PGAPPNAME: 'deployfile db:console',
    PGOPTIONS: readOnly ? '-c default_transaction_read_only=on' : '',
  }
}
