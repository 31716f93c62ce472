import { recipe, type Recipe } from '@deployfile/core'
import { consoleTask } from './console.ts'
import { createTask } from './create.ts'
import { downloadTask } from './download.ts'
import { identityTasks } from './identity.ts'
import { listTask } from './list.ts'
import type { PostgresOptions } from './options.ts'
import { readOptions } from './read-options.ts'
import { productionTask } from './production.ts'
import { pruneTask } from './prune.ts'
import { restoreFromProdTask } from './restore-from-prod.ts'
import { restoreTask } from './restore.ts'
import type { PostgresTasks } from './tasks.ts'
import { verifyTask } from './verify.ts'

/**
 * Backups of PostgreSQL databases, and restores that leave the live database untouched until the new one is whole. Tasks:
 * `db:backup:create`, `list`, `verify`, `download`, `restore file=…`, `restore_from_prod`, `prune`, and `db:console`; as values `db.tasks.create` and so on.
 *
 * The client programs run on each stage's primary host of role `db`.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function postgres<const K extends string>(options: PostgresOptions<K>): Recipe<PostgresTasks> {
  const settings = readOptions(options)
  const identities = identityTasks(settings)
  const production = productionTask(settings, identities)
  const tasks: PostgresTasks = {
    create: createTask(settings),
    list: listTask(settings),
    verify: verifyTask(settings),
    download: downloadTask(settings),
    restore: restoreTask(settings, production),
    restoreFromProd: restoreFromProdTask(settings, production),
    prune: pruneTask(settings),
    console: consoleTask(settings),
  }
  // Listed, though nobody asks for them by name: under a namespace they and all that need them get its prefix, too.
  const listed = Object.entries(identities).map(([stage, task]) => [`identity ${stage}`, task] as const)
  return recipe({ ...Object.fromEntries(listed), ...tasks })
}
