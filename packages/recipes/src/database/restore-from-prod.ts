import { basename } from 'node:path'
import { Problem, task, type BaseContext, type Question, type Shell, type Stage } from '@deployfile/core'
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
  restoreFrom,
  stampOf,
  type Backup,
} from '@deployfile/postgres'
import { readChoices } from './choices.ts'
import { productionDatabases, rememberProtected, type ProductionTask } from './production.ts'
import { toHost, uploadFolder } from './restore.ts'
import { dumpChoices, restoreSpec, type Settings } from './settings.ts'
import { applicationName, folderHere, runsHere, siteOf, tidy, type HostContext } from './site.ts'
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
      const choices = await readChoices(settings, context)
      const confirm = (question: Question): Promise<void> =>
        needs.target.asked ? Promise.resolve() : context.confirm(question)
      if ('streamed' in needs.backup) {
        const { streamed } = needs.backup
        const from = await siteOf(settings, elsewhere(context, streamed, context.remoteOf('backup')))
        return restoreFrom({
          ...{ from, to: site, stamp, choices, confirm, stream: true, dump: dumpChoices(settings, streamed) },
          ...{ local: context.local, folder: folderHere(settings, context) },
          application: await applicationName(settings, context),
          ...{ fromStage: settings.from, toStage: stage.name },
          production: await productionDatabases(settings, context, needs.production),
        })
      }
      const here = { file: needs.backup.file, manifest: needs.backup }
      const known = await productionDatabases(settings, context, needs.production, here)
      try {
        return await restoreBackup(site, {
          backup: runsHere(settings, context) ? here : await toHost(site, here, stamp),
          ...{ stamp, production: known, stage: stage.name, choices, confirm },
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
      const { backup } = context.needs
      const rest = { tables: 0, strategy: 'swap' as const, durationMs: 0 }
      const result = { database: site.connection.database, host: context.host.name, ...rest }
      if ('streamed' in backup) {
        await previewRestore(site, server, `a dump of ${settings.from}'s, as it comes,`)
        return result
      }
      const { file, database, bytes } = backup
      await previewRestore(site, server, `${settings.from}'s ${database} (${formatBytes(bytes)})`)
      return { ...result, file }
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

/** In place of a backup: the dump is restored as it comes. */
interface Streamed {
  /** The stage that is dumped. */
  readonly streamed: Stage
}

function streams({ stage, skip }: Pick<BaseContext, 'stage' | 'skip'>): Streamed {
  return skip('the dump is restored as it comes', { streamed: stage })
}

/** What of a task's context is another host's, when the task works there, too. */
function elsewhere(context: BaseContext, stage: Stage, remote: Shell): HostContext {
  const { local, signal, run } = context
  return {
    ...{ stage, host: remote.host, remote, local, signal, run },
    log: (message) => context.log(message),
    progress: (done, total, facts) => context.progress(done, total, facts),
  }
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
      const stream = restoreSpec(settings, context.stage).stream === true
      const { asked } = await prepareTarget(settings, context, site, known, {
        words: `a copy of ${settings.from}'s as it is now`,
        ...{ facts: source?.facts, stream },
      })
      return { asked, stream }
    },
  })
}

function dumpTask(settings: Settings, target: ReturnType<typeof targetTask>) {
  return task('db:backup:dump', {
    on: { stage: settings.from, role: 'db', pick: 'primary' },
    effect: 'read',
    needs: { target },
    async run(context): Promise<Backup | Streamed> {
      if (context.needs.target.stream) return streams(context)
      const site = await siteOf(settings, context)
      const label = { application: await applicationName(settings, context), stage: context.stage.name }
      const choices = dumpChoices(settings, context.stage)
      const backup = await createBackup(site, label, stampOf(context.run, 'dump'), choices)
      await rememberProtected(settings, context, site, backup.identity)
      return backup
    },
    async preview(context) {
      if (context.needs.target.stream) return streams(context)
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
      // The copy that is kept is the one here; of a dump that was not kept there is none.
      if (context.needs.target.stream) return
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
    async run(context): Promise<Backup | Streamed> {
      const { dump } = context.needs
      if ('streamed' in dump) return streams(context)
      if (runsHere(settings, context)) return dump
      const site = await siteOf(settings, context)
      return downloadBackup(site, context.local, dump, folderHere(settings, context))
    },
    async preview(context) {
      const { dump } = context.needs
      if ('streamed' in dump) return streams(context)
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
