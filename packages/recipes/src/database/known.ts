import { join } from 'node:path'
import type { BaseContext } from '@deployfile/core'
import { remember, type DatabaseIdentity } from '@deployfile/postgres'

/** Remembers who a database is that must never be a target. */
export async function keepIdentity(
  context: BaseContext,
  database: string,
  identity: DatabaseIdentity | null,
): Promise<void> {
  if (!identity || context.run.dryRun === true) return
  await remember(context.local, identitiesFile(context), { stage: context.stage.name, database, identity })
}

export function identitiesFile({ run }: BaseContext): string {
  return join(run.root, '.deployfile', 'identities.json')
}
