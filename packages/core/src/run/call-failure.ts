import { Problem, type CalledFailure, type ProblemRecord } from '../problem/problem.ts'
import { isMet, type NodeState } from './node-state.ts'

/** What a caller gets when something of a call did not end well; undefined when all of it did. Of what was called, it keeps every failure. */
export function callFailure(states: readonly NodeState[]): Problem | undefined {
  const failures = states.flatMap((state): readonly CalledFailure[] => {
    const { problem } = state
    if (!problem || isMet(state)) return []
    return problem.called ?? [{ node: state.node.id, problem }]
  })
  const [first] = failures
  return first && asProblem(first.problem, failures)
}

/** The first failure as it was, so that a caller which catches it can tell by its code what happened. */
function asProblem(record: ProblemRecord, called: readonly CalledFailure[]): Problem {
  const { kind, code, message, stack, ...details } = record
  const problem = new Problem(kind, code, message, { ...details, called })
  if (stack !== undefined) problem.stack = stack
  return problem
}
