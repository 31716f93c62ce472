import { basename } from 'node:path'
import { Problem, task } from '@deployfile/core'
import {
  backupFile,
  cleanUpRestore,
  createBackup,
  discardBackup,
  downloadBackup,
  formatBytes,
  openTarget,
  previewBackup,
  previewRestore,
  removeBackup,
  restoreBackup,
  stampOf,
} from '@deployfile/postgres'
import { readChoices } from './choices.ts'
import { productionDatabases, rememberProtected, type ProductionTask } from './production.ts'
import { toHost, uploadFolder } from './restore.ts'
import { dumpChoices, type Settings } from './settings.ts'
import { applicationName, folderHere, runsHere, siteOf, tidy } from './site.ts'
import { mayBeTarget, prepareTarget } from './target.ts'
import type { PostgresTasks } from './tasks.ts'

/**
 * Production to the stage of the run: who is who and whether it may be → dump on production → bring it here → restore on the target.
 * Everything that can refuse or ask comes before the dump.
 */
export function restoreFromProdTask(
  settings: Settings,
  production: ProductionTask,
): PostgresTasks['restoreFromProd'] {
  const target = targetTask(settings, production)
  const dump = dumpTask(settings, target)
  const fetch = fetchTask(settings, dump)
  return task('db:backup:restore_from_prod', {
    desc: `Replace the database of the stage by ${settings.from}'s`,
    on: { role: 'db', pick: 'primary' },
    effect: 'destroy',
    needs: { production, target, backup: fetch },
    when: mayBeCopied(settings),
    async run(context) {
      const { needs, run, stage } = context
      const site = await siteOf(settings, context)
      const stamp = stampOf(run, 'restore_from_prod')
      const here = { file: needs.backup.file, manifest: needs.backup }
      const known = await productionDatabases(settings, context, needs.production, here)
      try {
        return await restoreBackup(site, {
          backup: runsHere(settings, context) ? here : await toHost(site, here, stamp),
          ...{ stamp, production: known, stage: stage.name, choices: await readChoices(settings, context) },
          confirm: (question) => (needs.target.asked ? Promise.resolve() : context.confirm(question)),
        })
      } catch (error) {
        const again = `${context.task.replace(/_from_prod$/, '')} file=${basename(here.file)}`
        context.log(
          `the backup stays here; to restore it without another dump: deployfile ${stage.name} ${again}`,
        )
        throw error
      }
    },
    async preview(context) {
      const site = await siteOf(settings, context)
      const { server } = await openTarget(site, context.stage.name)
      const { file, database, bytes } = context.needs.backup
      await previewRestore(site, server, `${settings.from}'s ${database} (${formatBytes(bytes)})`)
      return {
        ...{ database: site.connection.database, host: context.host.name, file, tables: 0 },
        ...{ strategy: 'swap' as const, durationMs: 0 },
      }
    },
    async undo(context) {
      if (context.outcome !== 'cancelled') return
      const stamp = stampOf(context.run, 'restore_from_prod')
      await cleanUpRestore(await siteOf(settings, context), context.stage.name, stamp)
    },
    async finally(context) {
      await tidy(settings, context, async () => {
        const site = await siteOf(settings, context)
        await site.shell.remove(uploadFolder(site, stampOf(context.run, 'restore_from_prod')))
      })
    },
  })
}

/** A copy of production onto itself is never meant, whatever the config allows to be recovered from a file. */
function mayBeCopied(settings: Settings) {
  return mayBeTarget({ ...settings, recover: settings.recover.filter((stage) => stage !== settings.from) })
}

function targetTask(settings: Settings, production: ProductionTask) {
  return task('db:backup:target', {
    on: { role: 'db', pick: 'primary' },
    effect: 'read',
    needs: { production },
    when: mayBeCopied(settings),
    preview: true,
    async run(context) {
      const { databases } = context.needs.production
      const source = databases.find(({ stage }) => stage === settings.from)
      const { unreachable } = source ?? {}
      if (unreachable) throw new Problem('check', unreachable.code, unreachable.message, unreachable)
      const site = await siteOf(settings, context)
      const known = await productionDatabases(settings, context, context.needs.production)
      const { asked } = await prepareTarget(settings, context, site, known, {
        words: `a copy of ${settings.from}'s as it is now`,
        facts: source?.facts,
      })
      return { asked }
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
      const choices = dumpChoices(settings, context.stage)
      const backup = await createBackup(site, label, stampOf(context.run, 'dump'), choices)
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
      await tidy(settings, context, async () => {
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
      if (runsHere(settings, context)) return context.needs.dump
      const site = await siteOf(settings, context)
      return downloadBackup(site, context.local, context.needs.dump, folderHere(settings, context))
    },
    async preview(context) {
      const { dump } = context.needs
      if (runsHere(settings, context)) return dump
      const file = `${folderHere(settings, context)}/${basename(dump.file)}`
      await context.remote.downloadFile(dump.file, file)
      return { ...dump, file, on: context.local.host.name }
    },
    async undo(context) {
      if (context.outcome === 'done' || runsHere(settings, context)) return
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
