import type { Plan, RunOutcome } from '@deployfile/core'

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

export function signalCode(signal: string): number {
  return SIGNALS[signal] ?? 1
}

/**
 * What a run's end means for the shell (design §5): 0 done; a signal's own code when one stopped it; 3 when the first failure is a
 * `check` and nothing had been changed: every node that does something and is not `effect: 'read'` either never started, skipped
 * itself, or failed with a `check` problem, which by definition is found before anything is touched; else 1.
 */
export function exitCode(plan: Plan, outcome: RunOutcome, signal?: string): number {
  if (outcome.status === 'done') return 0
  if (signal !== undefined) return signalCode(signal)
  const [first] = outcome.failures
  if (first?.problem.kind !== 'check') return 1
  const refused = new Set(
    outcome.failures
      .filter(({ phase, problem }) => phase === 'run' && problem.kind === 'check')
      .map(({ node }) => node),
  )
  const changed = plan.nodes.some((node) => {
    if (node.kind !== 'task' || node.milestone || node.effect === 'read' || refused.has(node.id)) return false
    const status = outcome.nodes.get(node.id)?.status
    return status === 'done' || status === 'failed' || status === 'warned' || status === 'cancelled'
  })
  return changed ? 1 : 3
}
