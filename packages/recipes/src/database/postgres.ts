import { recipe, type Recipe } from '@deployfile/core'
import { createTask, listTask } from './backup-tasks.ts'
import { readOptions, type PostgresOptions } from './options.ts'
import { productionTask } from './production.ts'
import { restoreFromProdTask } from './restore-from-prod.ts'
import { restoreTask } from './restore.ts'
import type { PostgresTasks } from './tasks.ts'

/**
 * Backups of PostgreSQL databases, and restores that leave the live database untouched until the new one is whole. Tasks:
 * `db:backup:create`, `list`, `restore file=…`, `restore_from_prod`; as values `db.tasks.create` and so on.
 *
 * The client programs run on each stage's primary host of role `db`.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function postgres<const K extends string>(options: PostgresOptions<K>): Recipe<PostgresTasks> {
  const settings = readOptions(options)
  const production = productionTask(settings)
  const tasks: PostgresTasks = {
    create: createTask(settings),
    list: listTask(settings),
    restore: restoreTask(settings, production),
    restoreFromProd: restoreFromProdTask(settings, production),
  }
  // An interface has no index signature, which `recipe` asks of what it is given.
  return recipe({ ...tasks }) as Recipe<PostgresTasks>
}
