import type { BaseContext, Stage } from '@deployfile/core'
import {
  judgeTarget,
  openTarget,
  preflight,
  refuseProductionStage,
  type ProductionDatabase,
  type RestoreChoices,
  type Site,
  type SourceFacts,
} from '@deployfile/postgres'
import { readChoices } from './choices.ts'
import { databaseOf, type Settings } from './settings.ts'

/** For `when` of every task that replaces a database: what can be refused while planning is refused there, before any connection. */
export function mayBeTarget(settings: Settings): (context: { readonly stage: Stage }) => true {
  return ({ stage }) => {
    refuseProductionStage(stage, settings.from, settings.recover)
    databaseOf(settings, stage)
    return true
  }
}

export interface TargetReady {
  /** True when a person has typed the name of the database. */
  readonly asked: boolean
}

/**
 * Everything that can be known of a target before the work: it is reached, it is not production, it has the rights, extensions and room
 * that the restore needs, and who must agree has agreed.
 */
export async function prepareTarget(
  settings: Settings,
  context: BaseContext,
  site: Site,
  production: readonly ProductionDatabase[],
  source: { readonly words: string; readonly facts: SourceFacts | undefined; readonly stream?: boolean },
): Promise<TargetReady & { readonly choices: RestoreChoices }> {
  const target = await openTarget(site, context.stage.name)
  const { question } = judgeTarget(target.facts, production, settings.recover)
  const choices = await readChoices(settings, context)
  await preflight(target, source.facts, { ...choices, stream: source.stream })
  if (question)
    await context.confirm({ ...question, message: `${question.message} It gets ${source.words}.` })
  return { asked: question !== undefined, choices }
}
