import type { SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import { notJson } from './json.ts'

/**
 * Refuses an input that cannot travel: it stands in the plan, in the ids of nodes and in the journal.
 * @throws Problem `INPUT_NOT_JSON` (usage) with the path of what cannot
 */
export function checkInputData(task: string, input: unknown, location: SourceLocation | undefined): void {
  const found = notJson(input)
  if (!found) return
  const where = found.path === '' ? 'the input' : `'${found.path}' of the input`
  throw new Problem(
    'usage',
    'INPUT_NOT_JSON',
    `${where} of '${task}' is ${found.what}, which JSON cannot carry`,
    {
      location,
      key: 'input',
      hint: 'A plan is data: give strings, finite numbers, booleans, null, arrays and plain objects, and make of them in run what is needed there.',
    },
  )
}
