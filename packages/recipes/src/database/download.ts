import { basename } from 'node:path'
import { Problem, task } from '@deployfile/core'
import { downloadBackup, healSite } from '@deployfile/postgres'
import * as z from 'zod'
import { find } from './find.ts'
import { hasDatabase, type Settings } from './settings.ts'
import { folderHere, PLACE, runsHere, siteOf } from './site.ts'
import type { PostgresTasks } from './tasks.ts'

const input = z.object({
  file: z.string().min(1).default('latest').describe("name in the stage's folder of backups, or 'latest'"),
})

export function downloadTask(settings: Settings): PostgresTasks['download'] {
  return task('db:backup:download', {
    desc: "Bring a backup from the stage's database host to this machine",
    input,
    on: PLACE,
    effect: 'read',
    when: hasDatabase(settings),
    async run(context) {
      const site = await siteOf(settings, context)
      await healSite(site)
      const backup = whole(context.input.file, await find(settings, context, site, context.input.file))
      if (backup.on === 'here') {
        context.log(`${backup.file} is on this machine already`)
        return { file: backup.file, bytes: backup.manifest.bytes }
      }
      const source = { ...backup.manifest, file: backup.file, on: context.host.name }
      const { file, bytes } = await downloadBackup(site, context.local, source, folderHere(settings, context))
      context.log(file)
      return { file, bytes }
    },
    async preview(context) {
      const site = await siteOf(settings, context)
      const backup = whole(context.input.file, await find(settings, context, site, context.input.file))
      const { bytes } = backup.manifest
      if (backup.on === 'here' || runsHere(settings, context)) return { file: backup.file, bytes }
      const file = `${folderHere(settings, context)}/${basename(backup.file)}`
      await context.remote.downloadFile(backup.file, file)
      return { file, bytes }
    },
  })

  // Without a manifest nothing tells whether what arrives is what was there.
  function whole(wanted: string, { backup, here }: Awaited<ReturnType<typeof find>>) {
    const { file, manifest } = backup
    if (manifest) return { file, manifest, on: here ? 'here' : 'there' } as const
    throw new Problem(
      'check',
      'BACKUP_INCOMPLETE',
      `${wanted} has no manifest: it is not known to be whole`,
      {
        hint: 'db:backup:list shows which are. Prove it with db:backup:verify deep=true.',
      },
    )
  }
}
