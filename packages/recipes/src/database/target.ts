import type { BaseContext, Stage } from '@deployfile/core'
import {
  judgeTarget,
  openTarget,
  refuseProductionStage,
  type ProductionDatabase,
  type Site,
} from '@deployfile/postgres'
import { databaseOf, type Settings } from './options.ts'

/** For `when` of every task that replaces a database: what can be refused while planning is refused there, before any connection. */
export function mayBeTarget(settings: Settings): (context: { readonly stage: Stage }) => true {
  return ({ stage }) => {
    refuseProductionStage(stage, settings.from)
    databaseOf(settings, stage)
    return true
  }
}

export interface TargetReady {
  /** True when a person has typed the name of the database. */
  readonly asked: boolean
}

/** Everything that can be known of a target before the work: it is reached, it is not production, and who must agree has agreed. */
export async function prepareTarget(
  context: BaseContext,
  site: Site,
  production: readonly ProductionDatabase[],
  source: string,
): Promise<TargetReady> {
  const { facts } = await openTarget(site, context.stage.name)
  const question = judgeTarget(facts, production)
  if (question) await context.confirm({ ...question, message: `${question.message} It gets ${source}.` })
  return { asked: question !== undefined }
}
