import { Problem } from '../problem/problem.ts'
import type { Draft } from './draft.ts'

/**
 * Refuses a node that would run both as part of the run and because of its failure: it could run once only, and when is not known
 * before.
 * @throws Problem `ON_FAILURE_PLANNED` (usage)
 */
export function checkApart(main: Draft, failure: Draft): void {
  for (const [key, { instance, bodies }] of failure.placed) {
    if (bodies.length === 0 || !main.placed.get(key)?.bodies.length) continue
    throw new Problem(
      'usage',
      'ON_FAILURE_PLANNED',
      `'${instance.task.name}' would run twice: in this run, and when it fails because of onFailure`,
      {
        key: 'onFailure',
        hint: `An onFailure task may need and be hooked only by what runs for it alone. Read what went wrong from the context's failures.`,
      },
    )
  }
}
