import { didYouMean, Problem, type Catalog } from '@deployfile/core'

/**
 * The stage that a command of ours is for: the one before it, else the default.
 * @throws Problem `STAGE_UNKNOWN`, `STAGE_MISSING` (usage)
 */
export function stageOf(catalog: Catalog, named: string | undefined): string {
  const names = [...catalog.stages.keys()]
  if (named !== undefined && catalog.stages.has(named)) return named
  const list = `The stages are ${names.join(', ')}.`
  if (named !== undefined) {
    throw new Problem('usage', 'STAGE_UNKNOWN', `there is no stage '${named}'`, {
      hint: [didYouMean(named, names), list].filter(Boolean).join(' '),
    })
  }
  if (catalog.defaultStage !== undefined) return catalog.defaultStage
  throw new Problem('usage', 'STAGE_MISSING', 'no stage was named, and the config has no defaultStage', {
    hint: `Name it first. ${list}`,
  })
}
