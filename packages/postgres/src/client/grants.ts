import { isProblem } from '@deployfile/core'
import { inDatabase } from '../connection/conninfo.ts'
import type { Server } from '../sql/query.ts'
import { runClient } from './command.ts'
import type { Programs } from './programs.ts'

export interface Grants {
  readonly file: string
  /** The list of entries that were restored, on the host. */
  readonly listFile: string
  readonly database: string
}

const PICK = `
umask 077
grep -E '^[0-9]+; [0-9]+ [0-9]+ (DEFAULT ACL|ACL) ' "$1" >"$2" || [ $? -eq 1 ]
wc -l <"$2"
`

/** What is shown of what could not be given back. */
const MOST = 3

/**
 * Gives others the rights back that they had on what is in an archive, for a database's own backup: the roles are those of its server.
 * What cannot be given is said, and is no reason to be without the data: of an object that a role without a name here had rights on,
 * nobody gets any, as its rights are one entry.
 */
export async function restoreGrants(
  server: Server,
  programs: Programs,
  { file, listFile, database }: Grants,
): Promise<void> {
  const { site } = server
  const list = `${listFile}.log`
  const { stdout } = await site.shell.script(PICK, [listFile, list], { reads: true })
  if (Number(stdout.trim()) === 0) return
  try {
    await runClient(site, {
      program: `${programs.folder}/pg_restore`,
      args: [`--use-list=${list}`, file],
      connection: inDatabase(site.connection, database),
      readOnly: false,
    })
  } catch (error) {
    if (!isProblem(error) || error.code !== 'DATABASE_COMMAND_FAILED') throw error
    const reasons = [...error.message.matchAll(/ERROR: +(.*)/g)].map(([, text = '']) => text)
    const first = [...new Set(reasons)].slice(0, MOST).join('; ')
    site.log(
      `warning: some objects are without the rights that others had on them: ${first === '' ? error.message : first}`,
    )
  }
}
