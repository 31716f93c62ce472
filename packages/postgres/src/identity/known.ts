import type { Shell } from '@deployfile/core'
import { dirname } from 'node:path'
import * as z from 'zod'
import type { DatabaseIdentity } from './identity.ts'

const knownSchema = z.object({
  v: z.literal(1),
  databases: z.array(
    z.object({
      stage: z.string(),
      database: z.string(),
      system: z.string(),
      oid: z.number(),
      seenAt: z.iso.datetime(),
    }),
  ),
})

// The folder is ours, and keeps itself out of git.
const MAKE_PARENT =
  'umask 077; mkdir -p "$1"; if [ ! -e "$1/.gitignore" ]; then echo "*" >"$1/.gitignore"; fi'

/** A production database as it was last seen. */
export type KnownIdentity = z.infer<typeof knownSchema>['databases'][number]

/** Production's identities that this project has met, in `.deployfile/identities.json`. What cannot be read counts as unknown. */
export async function readKnown(local: Shell, file: string): Promise<readonly KnownIdentity[]> {
  if (!(await local.exists(file))) return []
  try {
    return knownSchema.parse(JSON.parse(await local.readFile(file))).databases
  } catch {
    return []
  }
}

interface Seen {
  readonly stage: string
  readonly database: string
  readonly identity: DatabaseIdentity
}

let turn: Promise<void> = Promise.resolve()

/**
 * Remembers what was just read over a connection, in place of what was known of that database. One after the other: several stages are
 * asked at once, and each writes the whole file.
 */
export function remember(local: Shell, file: string, seen: Seen): Promise<void> {
  const mine = turn.then(() => write(local, file, seen))
  turn = mine.catch(() => undefined)
  return mine
}

async function write(local: Shell, file: string, seen: Seen): Promise<void> {
  const known = await readKnown(local, file)
  const others = known.filter((entry) => entry.stage !== seen.stage || entry.database !== seen.database)
  const { system, oid } = seen.identity
  const entry = { stage: seen.stage, database: seen.database, system, oid, seenAt: new Date().toISOString() }
  await local.script(MAKE_PARENT, [dirname(file)])
  const text = JSON.stringify({ v: 1, databases: [...others, entry] }, null, 2)
  await local.writeFile(file, `${text}\n`, { mode: 0o600 })
}
