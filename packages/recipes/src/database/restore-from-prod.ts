import { basename } from 'node:path'
import { Problem, task } from '@deployfile/core'
import {
  backupFile,
  cleanUpRestore,
  createBackup,
  discardBackup,
  fetchBackup,
  formatBytes,
  openTarget,
  previewBackup,
  previewRestore,
  removeBackup,
  restoreBackup,
  stampOf,
} from '@deployfile/postgres'
import type { Settings } from './options.ts'
import { productionDatabases, rememberProtected, type productionTask } from './production.ts'
import { toHost, uploadFolder } from './restore.ts'
import { applicationName, folderHere, siteOf, tidy } from './site.ts'
import { mayBeTarget, prepareTarget } from './target.ts'
import type { PostgresTasks } from './tasks.ts'

/**
 * Production to the stage of the run: who is who and whether it may be → dump on production → bring it here → restore on the target.
 * Everything that can refuse or ask comes before the dump.
 */
export function restoreFromProdTask(
  settings: Settings,
  production: ReturnType<typeof productionTask>,
): PostgresTasks['restoreFromProd'] {
  const target = targetTask(settings, production)
  const dump = dumpTask(settings, target)
  const fetch = fetchTask(settings, dump)
  return task('db:backup:restore_from_prod', {
    desc: `Replace the database of the stage by ${settings.from}'s`,
    on: { role: 'db', pick: 'primary' },
    effect: 'destroy',
    needs: { production, target, backup: fetch },
    when: mayBeTarget(settings),
    async run(context) {
      const { needs, run, stage } = context
      const site = await siteOf(settings, context)
      const stamp = stampOf(run, 'restore_from_prod')
      const here = { file: needs.backup.file, manifest: needs.backup }
      const known = await productionDatabases(settings, context, needs.production, here)
      return restoreBackup(site, {
        backup: context.host.transport === 'local' ? here : await toHost(site, here, stamp),
        ...{ stamp, production: known, stage: stage.name },
        confirm: (question) => (needs.target.asked ? Promise.resolve() : context.confirm(question)),
      })
    },
    async preview(context) {
      const site = await siteOf(settings, context)
      const { server } = await openTarget(site, context.stage.name)
      const { file, database, bytes } = context.needs.backup
      await previewRestore(site, server, `${settings.from}'s ${database} (${formatBytes(bytes)})`)
      return { database: site.connection.database, host: context.host.name, file, tables: 0 }
    },
    async undo(context) {
      if (context.outcome !== 'cancelled') return
      const stamp = stampOf(context.run, 'restore_from_prod')
      await cleanUpRestore(await siteOf(settings, context), context.stage.name, stamp)
    },
    async finally(context) {
      await tidy(context, async () => {
        const site = await siteOf(settings, context)
        await site.shell.remove(uploadFolder(site, stampOf(context.run, 'restore_from_prod')))
      })
    },
  })
}

function targetTask(settings: Settings, production: ReturnType<typeof productionTask>) {
  return task('db:backup:target', {
    on: { role: 'db', pick: 'primary' },
    effect: 'read',
    needs: { production },
    when: mayBeTarget(settings),
    preview: true,
    async run(context) {
      const { unreachable } = context.needs.production
      if (unreachable) throw new Problem('check', unreachable.code, unreachable.message, unreachable)
      const site = await siteOf(settings, context)
      const known = await productionDatabases(settings, context, context.needs.production)
      return prepareTarget(context, site, known, `a copy of ${settings.from}'s as it is now`)
    },
  })
}

function dumpTask(settings: Settings, target: ReturnType<typeof targetTask>) {
  return task('db:backup:dump', {
    on: { stage: settings.from, role: 'db', pick: 'primary' },
    effect: 'read',
    needs: { target },
    async run(context) {
      const site = await siteOf(settings, context)
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      const backup = await createBackup(site, label, stampOf(context.run, 'dump'))
      await rememberProtected(settings, context, site, backup.identity)
      return backup
    },
    async preview(context) {
      const site = await siteOf(settings, context)
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      return previewBackup(site, label, stampOf(context.run, 'dump'))
    },
    async undo(context) {
      if (context.outcome !== 'cancelled') return
      const site = await siteOf(settings, context)
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      await discardBackup(site, backupFile(site, label, stampOf(context.run, 'dump')))
    },
    async finally(context) {
      // The copy that is kept is the one here.
      await tidy(context, async () => {
        const site = await siteOf(settings, context)
        const label = { application: await applicationName(settings, context), stage: context.stage.name }
        await removeBackup(site, backupFile(site, label, stampOf(context.run, 'dump')))
      })
    },
  })
}

function fetchTask(settings: Settings, dump: ReturnType<typeof dumpTask>) {
  return task('db:backup:fetch', {
    on: { stage: settings.from, role: 'db', pick: 'primary' },
    effect: 'read',
    needs: { dump },
    async run(context) {
      if (context.host.transport === 'local') return context.needs.dump
      const site = await siteOf(settings, context)
      return fetchBackup(site, context.local, context.needs.dump, folderHere(settings, context))
    },
    async preview(context) {
      const { dump } = context.needs
      if (context.host.transport === 'local') return dump
      const file = `${folderHere(settings, context)}/${basename(dump.file)}`
      await context.remote.downloadFile(dump.file, file)
      return { ...dump, file, on: context.local.host.name }
    },
    async undo(context) {
      if (context.outcome === 'done' || context.host.transport === 'local') return
      const site = {
        ...(await siteOf(settings, context)),
        shell: context.local,
        folder: folderHere(settings, context),
      }
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      await discardBackup(site, backupFile(site, label, stampOf(context.run, 'dump')))
    },
  })
}
