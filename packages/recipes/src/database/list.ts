import { basename } from 'node:path'
import { task } from '@deployfile/core'
import { formatBytes, healSite, listBackups } from '@deployfile/postgres'
import { examine } from './examine.ts'
import { hasDatabase, type Settings } from './settings.ts'
import { PLACE, siteOf } from './site.ts'
import type { ListedBackup, PostgresTasks } from './tasks.ts'

export function listTask(settings: Settings): PostgresTasks['list'] {
  return task('db:backup:list', {
    desc: "List the backups on the stage's database host",
    on: PLACE,
    effect: 'read',
    when: hasDatabase(settings),
    preview: true,
    async run(context): Promise<readonly ListedBackup[]> {
      const site = await siteOf(settings, context)
      if (context.run.dryRun !== true) await healSite(site)
      const { done, incomplete } = await listBackups(site.shell, site.folder)
      if (done.length + incomplete.length === 0) context.log(`there are no backups in ${site.folder}`)
      const whole = done.map(({ file, bytes, createdAt, stage, database, tables }) => ({
        ...{ file, bytes, createdAt, stage, database, tables },
        status: 'done' as const,
      }))
      const partial = incomplete.map(({ file, bytes }) => ({ file, bytes, status: 'incomplete' as const }))
      for (const { file, bytes, createdAt } of whole) {
        context.log(`${basename(file)}  ${formatBytes(bytes)}  ${createdAt}`)
      }
      for (const { file, bytes } of partial)
        context.log(`${basename(file)}  ${formatBytes(bytes)}  incomplete`)
      return [...whole, ...partial]
    },
    doctor: examine(settings),
  })
}
