import { isProblem } from '../problem/problem.ts'
import { hasBody, type NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/**
 * In a dry run: why a node is not entered. A body may be when its task says so (`preview`), and when nothing that it reads comes from
 * one that was not. Undefined otherwise, and in a real run.
 */
export function whyNotPreviewed(run: RunState, state: NodeState): string | undefined {
  if (run.options.dryRun !== true || !hasBody(state)) return undefined
  const { node, spec } = state
  if (spec.preview === undefined) {
    run.unknown.set(node.id, node.task)
    return 'would run, no preview'
  }
  for (const binding of Object.values(node.needs)) {
    const ids =
      binding.kind === 'one' ? [binding.node] : binding.kind === 'each' ? nodesOf(run, binding.of) : []
    const unknown = ids.map((id) => run.unknown.get(id)).find((task) => task !== undefined)
    if (unknown !== undefined) return without(run, state, unknown)
  }
  return undefined
}

/** The same of a body that finds out when it runs: it called, or wraps, what has no preview. */
export function whyPreviewEnded(run: RunState, state: NodeState, thrown: unknown): string | undefined {
  if (run.options.dryRun !== true || !isProblem(thrown) || thrown.code !== NO_PREVIEW) return undefined
  return without(run, state, thrown.details.key ?? state.node.task)
}

/** The code of what is thrown into a preview that asks for more than can be known; `key` is the task that has none. */
export const NO_PREVIEW = 'NO_PREVIEW'

function without(run: RunState, { node }: NodeState, task: string): string {
  run.unknown.set(node.id, task)
  return `would run: needs '${task}', which has no preview`
}

function nodesOf({ plan, calls }: RunState, key: string): readonly string[] {
  return (plan.perHost?.[key] ?? calls.perHost.get(key) ?? []).map(({ node }) => node)
}
