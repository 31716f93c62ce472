import { isProblem, task, toRecord, type BaseContext, type ProblemRecord } from '@deployfile/core'
import {
  openServer,
  readIdentity,
  readSource,
  type DatabaseIdentity,
  type Identity,
  type SourceFacts,
} from '@deployfile/postgres'
import type { Settings } from './settings.ts'
import { keepIdentity } from './known.ts'
import { siteOf } from './site.ts'

/** Who a database is that must never be a target, as far as it could be read just now. */
export interface ProtectedDatabase {
  readonly stage: string
  readonly database: string
  /** Null when it could not be reached or does not tell; what was kept of it counts then. */
  readonly identity: DatabaseIdentity | null
  /** What a target must be ready for; absent when it could not be reached. */
  readonly facts?: Required<SourceFacts>
  /** Why it could not be reached. */
  readonly unreachable?: ProblemRecord
}

/**
 * Reads who the database of a stage is, when the stage is protected or the one that backups come from. Fails for nothing but an
 * interrupt: a laptop on a train may restore a file, on what is known.
 */
export function identityTask(settings: Settings, stage: string) {
  const always = stage === settings.from
  return task(`db:backup:identity:${stage}`, {
    on: { stage, role: 'db', pick: 'primary' },
    onNoHost: 'skip',
    effect: 'read',
    when: (context): true | string => always || context.stage.protected || `${stage} is not protected`,
    preview: true,
    async run(context): Promise<ProtectedDatabase> {
      const database = settings.databases.get(stage)?.connection.database ?? ''
      try {
        const site = await siteOf(settings, context)
        const server = await openServer(site, { readOnly: true, databases: [database] })
        const identity = whole(await readIdentity(server, database))
        await keepIdentity(context, database, identity)
        return { stage, database, identity, facts: await readSource(server) }
      } catch (error) {
        if (context.signal.aborted || !isProblem(error)) throw error
        // The rest of it, a hint of the server's among it, is said where it matters.
        const [why = ''] = error.message.split('\n')
        context.log(`${stage} could not be asked who it is: ${why}`)
        const { stack: _, ...unreachable } = toRecord(error)
        return { stage, database, identity: null, unreachable }
      }
    },
  })
}

/** One of each stage that has a database, by its name. */
export function identityTasks(settings: Settings) {
  return Object.fromEntries(
    [...settings.databases.keys()].map((stage) => [stage, identityTask(settings, stage)]),
  )
}

export type IdentityTasks = ReturnType<typeof identityTasks>

function whole(identity: Identity | null): DatabaseIdentity | null {
  return identity === null || identity.oid === null ? null : { system: identity.system, oid: identity.oid }
}

/** True in a run that only says what it would do. */
export function isDry({ run }: BaseContext): boolean {
  return run.dryRun === true
}
