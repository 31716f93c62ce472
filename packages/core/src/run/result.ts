import { Problem, toRecord } from '../problem/problem.ts'
import { redact } from '../secret/redact.ts'
import { notJson } from '../task/json.ts'
import type { Ended } from './watch.ts'
import type { NodeState } from './node-state.ts'

/** The end of a body whose result can travel; of one whose result cannot, a failure that names what cannot. */
export function checkResult(state: NodeState, ended: Ended): Ended {
  if (ended.kind !== 'returned' || ended.value === undefined) return ended
  const problem = whyUnreadable(state, ended.value)
  return problem ? { kind: 'threw', thrown: problem } : ended
}

// Getters and proxies are a body's own code, and what is nested deeper than the stack cannot be walked.
function whyUnreadable(state: NodeState, result: unknown): Problem | undefined {
  try {
    return whyUnfit(state, result)
  } catch (cause) {
    const what = `the result of '${state.node.task}' cannot be read: ${toRecord(cause).message}`
    return new Problem('task', 'RESULT_NOT_JSON', what, { hint: HINT, cause })
  }
}

const HINT =
  'Results reach other tasks through the journal: return strings, finite numbers, booleans, null, arrays and plain objects.'

function whyUnfit(state: NodeState, result: unknown): Problem | undefined {
  const found = notJson(result)
  if (found) {
    const where = found.path === '' ? 'the result' : `'${found.path}' of the result`
    return new Problem(
      'task',
      'RESULT_NOT_JSON',
      `${where} of '${state.node.task}' is ${found.what}, which JSON cannot carry`,
      { hint: HINT },
    )
  }
  const text = JSON.stringify(result)
  if (redact(text) === text) return undefined
  return new Problem('task', 'RESULT_SECRET', `the result of '${state.node.task}' contains a secret`, {
    hint: 'Results are written to the journal: pass the Secret itself to whoever needs it, not its value.',
  })
}
