import { Problem, task, terminalMissing, type BaseContext, type Stage } from '@deployfile/core'
import { closeConsole, healSite, openConsole, stampOf } from '@deployfile/postgres'
import * as z from 'zod'
import { databaseOf, hasDatabase, type Settings } from './settings.ts'
import { PLACE, siteOf } from './site.ts'
import type { PostgresTasks } from './tasks.ts'

const input = z.object({
  write: z
    .boolean()
    .optional()
    .describe('may change the database; default: not on a protected stage, else yes'),
})

/** psql at the stage's database, on the terminal. It only reads a protected stage, unless a person says otherwise and types its name. */
export function consoleTask(settings: Settings): PostgresTasks['console'] {
  return task('db:console', {
    desc: 'Open psql at the database of the stage',
    input,
    on: PLACE,
    effect: 'read',
    when: hasDatabase(settings),
    async run(context) {
      const { stage, run } = context
      if (run.terminal !== true) throw withoutTerminal(settings, context)
      const readOnly = !(context.input.write ?? !isProduction(settings, stage))
      if (!readOnly && isProduction(settings, stage)) {
        const { database } = databaseOf(settings, stage).connection
        await context.confirm({
          message: `psql is opened at ${stage.name}'s database ${database}, and may change it.`,
          answer: stage.name,
          mayBeYes: true,
        })
      }
      const site = await siteOf(settings, context)
      await healSite(site)
      await openConsole(site, { name: stage.name, readOnly, stamp: stampOf(run, 'console') })
    },
    async preview(context) {
      await context.remote.attach`psql ${databaseOf(settings, context.stage).connection.database}`
    },
    async undo(context) {
      if (context.outcome !== 'cancelled') return
      await closeConsole(await siteOf(settings, context), stampOf(context.run, 'console'))
    },
  })
}

function isProduction({ from }: Settings, stage: Stage): boolean {
  return stage.protected || stage.name === from
}

function withoutTerminal(settings: Settings, { task: name, stage }: BaseContext): Problem {
  const { code, kind, message, details } = terminalMissing(`'${name}'`)
  const { database } = databaseOf(settings, stage).connection
  const instead = `For one statement in a script: deployfile ${stage.name} exec -r db "psql ${database} -c '…'"`
  return new Problem(kind, code, message, { hint: `${details.hint ?? ''} ${instead}` })
}
