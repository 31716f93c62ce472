import { basename } from 'node:path'
import { Problem, type BaseContext, type Shell } from '@deployfile/core'
import { manifestPath, type Backup } from '@deployfile/postgres'
import type { Settings } from './settings.ts'

/**
 * Gives a whole backup, which is a file of `remote`, to what the config has as `store`.
 * @throws Problem `BACKUP_NOT_STORED` (task) that says where the backup is, or what the function threw
 */
export async function storeBackup(
  { store }: Settings,
  context: BaseContext,
  backup: Backup,
  remote: Shell,
): Promise<void> {
  if (store === undefined) return
  const { local, signal } = context
  const manifest = manifestPath(backup.file)
  try {
    if (typeof store === 'string')
      await remote.script(store, [], { env: { FILE: backup.file, MANIFEST: manifest } })
    else {
      const log = (message: string): void => context.log(message)
      await store({ backup, file: backup.file, manifest, remote, local, signal, log })
    }
  } catch (error) {
    signal.throwIfAborted()
    const why = error instanceof Error ? error.message : String(error)
    throw new Problem(
      'task',
      'BACKUP_NOT_STORED',
      `the backup was made and could not be stored elsewhere: ${why}`,
      {
        host: backup.on,
        hint: `It is whole, and is ${backup.file} on ${backup.on}.`,
      },
    )
  }
  context.log(`stored ${basename(backup.file)}`)
}
