import { Problem } from '../problem/problem.ts'
import { redact } from '../secret/redact.ts'
import type { Ended } from './watch.ts'
import { notJson } from './json.ts'
import type { NodeState } from './run-state.ts'

/** The end of a body whose result can travel; of one whose result cannot, a failure that names what cannot. */
export function checkResult(state: NodeState, ended: Ended): Ended {
  if (ended.kind !== 'returned' || ended.value === undefined) return ended
  const problem = whyUnfit(state, ended.value)
  return problem ? { kind: 'threw', thrown: problem } : ended
}

function whyUnfit(state: NodeState, result: unknown): Problem | undefined {
  const found = notJson(result)
  if (found) {
    const where = found.path === '' ? 'the result' : `'${found.path}' of the result`
    return new Problem(
      'task',
      'RESULT_NOT_JSON',
      `${where} of '${state.node.task}' is ${found.what}, which JSON cannot carry`,
      {
        hint: 'Results reach other tasks through the journal: return strings, finite numbers, booleans, null, arrays and plain objects.',
      },
    )
  }
  const text = JSON.stringify(result)
  if (redact(text) === text) return undefined
  return new Problem('task', 'RESULT_SECRET', `the result of '${state.node.task}' contains a secret`, {
    hint: 'Results are written to the journal: pass the Secret itself to whoever needs it, not its value.',
  })
}
