import { task } from '@deployfile/core'
import {
  backupFile,
  createBackup,
  discardBackup,
  healSite,
  previewBackup,
  stampOf,
} from '@deployfile/postgres'
import { rememberProtected } from './production.ts'
import { dumpChoices, hasDatabase, type Settings } from './settings.ts'
import { applicationName, PLACE, siteOf } from './site.ts'
import { storeBackup } from './store.ts'
import type { PostgresTasks } from './tasks.ts'

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
      const choices = dumpChoices(settings, context.stage)
      const backup = await createBackup(site, label, stampOf(context.run, 'create'), choices)
      await rememberProtected(settings, context, site, backup.identity)
      await storeBackup(settings, context, backup, site.shell)
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
