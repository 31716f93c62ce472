import { isAbsolute, join } from 'node:path'
import { Problem, type BaseContext } from '@deployfile/core'
import type { RestoreChoices } from '@deployfile/postgres'
import type { Sql } from './options.ts'
import { restoreSpec, type Settings } from './settings.ts'

/**
 * How the database of the run's stage is restored, the files of SQL read.
 * @throws Problem `RESTORE_SQL_MISSING` (check)
 */
export async function readChoices(settings: Settings, context: BaseContext): Promise<RestoreChoices> {
  const { anonymize, postRestore, stream: _, ...rest } = restoreSpec(settings, context.stage)
  return {
    ...rest,
    anonymize: await readSql(context, 'anonymize', anonymize),
    postRestore: await readSql(context, 'postRestore', postRestore),
  }
}

async function readSql(
  { local, run }: BaseContext,
  key: string,
  given: Sql | readonly Sql[] = [],
): Promise<readonly string[]> {
  const texts: string[] = []
  for (const one of [given].flat() as readonly Sql[]) {
    if (typeof one === 'string') {
      texts.push(one)
      continue
    }
    const file = isAbsolute(one.file) ? one.file : join(run.root, one.file)
    if (!(await local.exists(file))) {
      throw new Problem(
        'check',
        'RESTORE_SQL_MISSING',
        `there is no file ${file}, which 'restore.${key}' of postgres() names`,
        {
          key,
          hint: 'Its path is relative to deploy.config.ts. Nothing was changed.',
        },
      )
    }
    texts.push(await local.readFile(file))
  }
  return texts
}
