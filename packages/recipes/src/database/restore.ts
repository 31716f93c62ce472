import { task } from '@deployfile/core'
import {
  cleanUpRestore,
  openTarget,
  previewRestore,
  restoreBackup,
  sendBackup,
  stampOf,
  type FoundBackup,
  type Site,
  type Stamp,
} from '@deployfile/postgres'
import * as z from 'zod'
import { describe, find } from './find.ts'
import { productionDatabases, type ProductionTask } from './production.ts'
import type { Settings } from './settings.ts'
import { applicationName, siteOf, tidy } from './site.ts'
import { mayBeTarget, prepareTarget } from './target.ts'
import type { PostgresTasks } from './tasks.ts'

const input = z.object({
  file: z.string().min(1).describe("path, or name in the folder of backups, or 'latest'"),
})

export function restoreTask(settings: Settings, production: ProductionTask): PostgresTasks['restore'] {
  return task('db:backup:restore', {
    desc: 'Replace the database of the stage by a backup',
    input,
    on: { role: 'db', pick: 'primary' },
    effect: 'destroy',
    needs: { production },
    when: mayBeTarget(settings),
    async run(context) {
      const site = await siteOf(settings, context)
      const found = await find(settings, context, site, context.input.file)
      const known = await productionDatabases(settings, context, context.needs.production, found.backup)
      const { asked, choices } = await prepareTarget(settings, context, site, known, {
        words: describe(found.backup),
        facts: found.backup.manifest,
      })
      const stamp = stampOf(context.run, 'restore')
      const backup = found.here ? await toHost(site, found.backup, stamp) : found.backup
      return restoreBackup(site, {
        ...{ backup, stamp, choices, production: known, recover: settings.recover },
        ...{ stage: context.stage.name, application: await applicationName(settings, context) },
        confirm: (question) => (asked ? Promise.resolve() : context.confirm(question)),
      })
    },
    async preview(context) {
      const site = await siteOf(settings, context)
      const found = await find(settings, context, site, context.input.file)
      const known = await productionDatabases(settings, context, context.needs.production, found.backup)
      await prepareTarget(settings, context, site, known, {
        words: describe(found.backup),
        facts: found.backup.manifest,
      })
      if (found.here)
        await context.remote.uploadFile(
          found.backup.file,
          uploadFolder(site, stampOf(context.run, 'restore')),
        )
      const { server } = await openTarget(site, context.stage.name)
      const { file, manifest } = found.backup
      await previewRestore(site, server, describe(found.backup))
      const { database } = site.connection
      return {
        ...{ database, host: context.host.name, file, tables: manifest?.tables ?? 0 },
        ...{ strategy: 'swap' as const, durationMs: 0 },
      }
    },
    async undo(context) {
      if (context.outcome !== 'cancelled') return
      await cleanUpRestore(
        await siteOf(settings, context),
        context.stage.name,
        stampOf(context.run, 'restore'),
      )
    },
    async finally(context) {
      await tidy(settings, context, async () => {
        const site = await siteOf(settings, context)
        await site.shell.remove(uploadFolder(site, stampOf(context.run, 'restore')))
      })
    },
  })
}

export async function toHost(site: Site, backup: FoundBackup, stamp: Stamp): Promise<FoundBackup> {
  return { ...backup, file: await sendBackup(site, backup.file, uploadFolder(site, stamp)) }
}

/** A folder of its own, so that removing the copy can never remove a backup that was there before. */
export function uploadFolder(site: Site, { time, hex }: Stamp): string {
  return `${site.folder}/upload_${time}_${hex}`
}
