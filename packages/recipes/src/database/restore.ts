import { join, isAbsolute } from 'node:path'
import { task, type BaseContext } from '@deployfile/core'
import {
  backupNotFound,
  cleanUpRestore,
  findBackup,
  openTarget,
  previewRestore,
  readBackup,
  restoreBackup,
  sendBackup,
  stampOf,
  type FoundBackup,
  type Site,
  type Stamp,
} from '@deployfile/postgres'
import * as z from 'zod'
import type { Settings } from './options.ts'
import { productionDatabases, type productionTask } from './production.ts'
import { folderHere, siteOf, tidy } from './site.ts'
import { mayBeTarget, prepareTarget } from './target.ts'
import type { PostgresTasks } from './tasks.ts'

const input = z.object({
  file: z.string().min(1).describe("path, or name in the folder of backups, or 'latest'"),
})

export function restoreTask(
  settings: Settings,
  production: ReturnType<typeof productionTask>,
): PostgresTasks['restore'] {
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
      const { asked } = await prepareTarget(context, site, known, describe(found.backup))
      const stamp = stampOf(context.run, 'restore')
      const backup = found.here ? await toHost(site, found.backup, stamp) : found.backup
      return restoreBackup(site, {
        ...{ backup, stamp, production: known, stage: context.stage.name },
        confirm: (question) => (asked ? Promise.resolve() : context.confirm(question)),
      })
    },
    async preview(context) {
      const site = await siteOf(settings, context)
      const found = await find(settings, context, site, context.input.file)
      const known = await productionDatabases(settings, context, context.needs.production, found.backup)
      await prepareTarget(context, site, known, describe(found.backup))
      if (found.here)
        await context.remote.uploadFile(
          found.backup.file,
          uploadFolder(site, stampOf(context.run, 'restore')),
        )
      const { server } = await openTarget(site, context.stage.name)
      const { file, manifest } = found.backup
      await previewRestore(site, server, describe(found.backup))
      const { database } = site.connection
      return { database, host: context.host.name, file, tables: manifest?.tables ?? 0 }
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
      await tidy(context, async () => {
        const site = await siteOf(settings, context)
        await site.shell.remove(uploadFolder(site, stampOf(context.run, 'restore')))
      })
    },
  })
}

interface Found {
  readonly backup: FoundBackup
  /** True for a file of this machine that the target's host does not have. */
  readonly here: boolean
}

async function find(settings: Settings, context: BaseContext, site: Site, wanted: string): Promise<Found> {
  const { local, run } = context
  const remote = site.shell.host.transport !== 'local'
  const path = isAbsolute(wanted) ? wanted : join(run.root, wanted)
  const folder = folderHere(settings, context)
  if (!wanted.includes('/')) {
    const there = await findBackup(site.shell, site.folder, wanted)
    if (there) return { backup: there, here: false }
    const here = remote ? await findBackup(local, folder, wanted) : undefined
    if (here) return { backup: here, here: true }
  }
  const backup = wanted === 'latest' ? undefined : await readBackup(local, path)
  if (backup) return { backup, here: remote }
  if (wanted.includes('/')) throw await backupNotFound(local, [folder], wanted)
  throw await backupNotFound(site.shell, [site.folder], wanted)
}

function describe({ file, manifest }: FoundBackup): string {
  if (!manifest) return `the content of ${file}, of which nothing more is known`
  return `the backup of ${manifest.stage} (${manifest.database}) from ${manifest.createdAt}`
}

export async function toHost(site: Site, backup: FoundBackup, stamp: Stamp): Promise<FoundBackup> {
  return { ...backup, file: await sendBackup(site, backup.file, uploadFolder(site, stamp)) }
}

/** A folder of its own, so that removing the copy can never remove a backup that was there before. */
export function uploadFolder(site: Site, { time, hex }: Stamp): string {
  return `${site.folder}/upload_${time}_${hex}`
}
