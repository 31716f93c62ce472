import { Problem, task, type Stage } from '@deployfile/core'
import { healSite, pruneBackups, type Keep } from '@deployfile/postgres'
import * as z from 'zod'
import { hasDatabase, type Settings } from './settings.ts'
import { PLACE, siteOf } from './site.ts'
import type { PostgresTasks } from './tasks.ts'

const input = z.object({
  last: z.int().min(1).optional().describe('keep the newest so many of each database'),
  days: z.number().positive().optional().describe('keep what is younger than so many days'),
})

export function pruneTask(settings: Settings): PostgresTasks['prune'] {
  const site = hasDatabase(settings)
  return task('db:backup:prune', {
    desc: "Remove old backups from the stage's database host",
    input,
    on: PLACE,
    effect: 'write',
    when({ stage, input: given }: { readonly stage: Stage; readonly input: Given }) {
      chooseKeep(settings, given)
      return site({ stage })
    },
    async run(context) {
      const place = await siteOf(settings, context)
      await healSite(place)
      const { removed, kept } = await pruneBackups(place, { keep: chooseKeep(settings, context.input) })
      context.log(`${removed.length} removed, ${kept.length} kept`)
      return { removed: removed.map(({ file }) => file), kept: kept.map(({ file }) => file) }
    },
    async preview(context) {
      const place = await siteOf(settings, context)
      const keep = chooseKeep(settings, context.input)
      const { removed, kept } = await pruneBackups(place, { keep, dryRun: true })
      return { removed: removed.map(({ file }) => file), kept: kept.map(({ file }) => file) }
    },
  })
}

interface Given {
  readonly last?: number | undefined
  readonly days?: number | undefined
}

/** What is typed beats the config; nothing is removed by a rule that nobody gave. */
function chooseKeep({ keep }: Settings, { last, days }: Given): Keep {
  const minimum = keep?.minimum
  if (last !== undefined || days !== undefined) {
    return {
      ...(last !== undefined && { last }),
      ...(days !== undefined && { days }),
      ...(minimum !== undefined && { minimum }),
    }
  }
  if (keep) return keep
  throw new Problem('usage', 'BACKUP_KEEP', 'it is not said which backups are to be kept', {
    key: 'keep',
    hint: 'Give last=10 or days=30, or postgres({ keep: { last: 10 } }) in the config.',
  })
}
