import { basename } from 'node:path'
import { task } from '@deployfile/core'
import { formatBytes, healSite, verifyBackup } from '@deployfile/postgres'
import * as z from 'zod'
import { find } from './find.ts'
import { hasDatabase, type Settings } from './settings.ts'
import { PLACE, siteOf } from './site.ts'
import type { PostgresTasks } from './tasks.ts'

const input = z.object({
  file: z.string().min(1).default('latest').describe("path, or name in the folder of backups, or 'latest'"),
  deep: z.boolean().default(false).describe('read every block, as a restore does'),
})

export function verifyTask(settings: Settings): PostgresTasks['verify'] {
  return task('db:backup:verify', {
    desc: 'Prove that a backup is whole',
    input,
    on: PLACE,
    effect: 'read',
    when: hasDatabase(settings),
    preview: true,
    async run(context) {
      const site = await siteOf(settings, context)
      if (context.run.dryRun !== true) await healSite(site)
      const { backup, here } = await find(settings, context, site, context.input.file)
      const there = here ? { ...site, shell: context.local } : site
      const verified = await verifyBackup(there, backup, { deep: context.input.deep })
      const { bytes, entries, tables, sha256, deep } = verified
      const how = deep ? 'every block was read' : 'its sha256 is the one of its manifest'
      context.log(
        `${basename(backup.file)} is whole (${how}): ${formatBytes(bytes)}, ${tables} tables, ${entries} entries, sha256 ${sha256}`,
      )
      return verified
    },
  })
}
