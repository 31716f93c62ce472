import { basename } from 'node:path'
import { task } from '@deployfile/core'
import {
  backupFile,
  createBackup,
  discardBackup,
  formatBytes,
  healSite,
  listBackups,
  previewBackup,
  stampOf,
} from '@deployfile/postgres'
import { hasDatabase, type Settings } from './options.ts'
import { rememberProtected } from './production.ts'
import { applicationName, siteOf } from './site.ts'
import type { ListedBackup, PostgresTasks } from './tasks.ts'

const PLACE = { role: 'db', pick: 'primary' } as const

export function createTask(settings: Settings): PostgresTasks['create'] {
  return task('db:backup:create', {
    desc: 'Back up the database of the stage',
    on: PLACE,
    effect: 'read',
    when: hasDatabase(settings),
    async run(context) {
      const site = await siteOf(settings, context)
      await healSite(site)
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      const backup = await createBackup(site, label, stampOf(context.run, 'create'))
      await rememberProtected(settings, context, site, backup.identity)
      context.log(`${backup.file} on ${backup.on}`)
      return backup
    },
    async preview(context) {
      const site = await siteOf(settings, context)
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      return previewBackup(site, label, stampOf(context.run, 'create'))
    },
    async undo(context) {
      // A failure has removed its file; a whole backup is good whatever becomes of the run.
      if (context.outcome !== 'cancelled') return
      const site = await siteOf(settings, context)
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      await discardBackup(site, backupFile(site, label, stampOf(context.run, 'create')))
    },
  })
}

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
  })
}
