import { Problem, type Question } from '@deployfile/core'
import type { DatabaseIdentity, Identity } from '../identity/identity.ts'

export interface TargetFacts {
  readonly database: string
  readonly stage: string
  readonly host: string
  readonly transport: 'ssh' | 'local'
  /** Null when it could not be read. */
  readonly identity: Identity | null
}

/** A database that must never be a target. */
export interface ProductionDatabase {
  readonly stage: string
  readonly database: string
  readonly identity: DatabaseIdentity
}

/** What a restore onto a target asks for. */
export interface Verdict {
  /** Undefined when nobody needs to be asked. */
  readonly question: Question | undefined
  /** True for production itself: what is live is backed up first, whatever the config says. */
  readonly forceSafety: boolean
}

/**
 * Whether a stage may be restored onto at all, which is known before anything is connected. `recover`: stages that the config names
 * for the day on which production itself must be restored.
 * @throws Problem `RESTORE_ONTO_PRODUCTION` (usage)
 */
export function refuseProductionStage(
  stage: { readonly name: string; readonly protected: boolean },
  from: string,
  recover: readonly string[] = [],
): void {
  if ((stage.name !== from && !stage.protected) || recover.includes(stage.name)) return
  const why = stage.name === from ? `its database is the one that backups come from` : `it is protected`
  throw new Problem(
    'usage',
    'RESTORE_ONTO_PRODUCTION',
    `the stage ${stage.name} is never restored onto: ${why}`,
    {
      hint:
        'Name the stage whose database is to be replaced: stage=dev or stage=staging. ' +
        `To bring back production itself after a disaster: postgres({ recover: ['${stage.name}'] }) in the config.`,
    },
  )
}

/**
 * Decides by identity, not by name: a tunnel, an alias or a copied URL can make production look like anything. Unknown on either side
 * is refused.
 * @throws Problem `RESTORE_ONTO_PRODUCTION`, `IDENTITY_UNKNOWN`, `PRODUCTION_UNKNOWN` (check)
 */
export function judgeTarget(
  target: TargetFacts,
  production: readonly ProductionDatabase[],
  recover: readonly string[] = [],
): Verdict {
  const { identity, database, host } = target
  if (identity === null) {
    throw new Problem(
      'check',
      'IDENTITY_UNKNOWN',
      `the server of ${database} on ${host} does not tell who it is`,
      {
        host,
        hint: 'The user of its URL must be allowed to call pg_control_system(): GRANT EXECUTE ON FUNCTION pg_control_system() TO …',
      },
    )
  }
  if (production.length === 0) {
    throw new Problem(
      'check',
      'PRODUCTION_UNKNOWN',
      'it is not known which database is production, so any could be it',
      {
        hint: 'Run db:backup:create for production once, from here: its identity is kept in .deployfile/identities.json.',
      },
    )
  }
  const same = production.find(
    (one) => one.identity.system === identity.system && one.identity.oid === identity.oid,
  )
  const replaced =
    identity.oid === null ? 'will be created' : 'will be replaced; everything in it now is lost'
  if (same || recover.includes(target.stage)) {
    // Only by its own name: whoever allows production to be recovered has not allowed that dev leads there.
    if (recover.includes(target.stage) && (!same || same.stage === target.stage)) {
      const message = `The database ${database} on ${host} is the one of ${target.stage}, and ${replaced}. A backup of it is made first.`
      return { question: { message, answer: database }, forceSafety: true }
    }
    const message = `the database ${database} that ${host} reaches for ${target.stage} is the one of ${same?.stage ?? ''}; it is never restored onto`
    throw new Problem('check', 'RESTORE_ONTO_PRODUCTION', message, {
      host,
      hint: `Check the URL of ${target.stage} in postgres({ databases }): it may lead through a tunnel or an alias.`,
    })
  }
  const neighbour = production.find((one) => one.identity.system === identity.system)
  const plain = `The database ${database} (${target.stage}) on ${host} ${replaced}.`
  if (neighbour) {
    const why = `It is on the same server as the database of ${neighbour.stage} (${neighbour.database}).`
    return { question: { message: `${plain} ${why}`, answer: database }, forceSafety: false }
  }
  if (target.transport === 'local') return { question: undefined, forceSafety: false }
  return { question: { message: plain, answer: database }, forceSafety: false }
}
