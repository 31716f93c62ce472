import type { Binding, PlanNode } from '../plan/plan.ts'
import type { Job, NeedValue } from '../port/executor.ts'
import type { RunState } from './run-state.ts'

const NO_NEEDS: Job['needs'] = {}

/** What a body gets for its needs. */
export function readNeeds(run: RunState, { needs }: PlanNode): Job['needs'] {
  let values: Record<string, NeedValue> | undefined
  for (const key in needs) {
    values ??= {}
    values[key] = readBinding(run, needs[key])
  }
  return values ?? NO_NEEDS
}

export function readBinding(run: RunState, binding: Binding | undefined): NeedValue {
  if (binding === undefined || binding.kind === 'none') return { kind: 'one', value: undefined }
  if (binding.kind === 'each') return eachOf(run, binding.of)
  const state = run.byId.get(binding.node)
  const host = state?.node.host
  if (state === undefined || host === undefined) return { kind: 'one', value: state?.result }
  return { kind: 'one', value: state.result, stage: state.node.stage, host }
}

/** Made once for all dependents: with a thousand hosts there may be a thousand of them. */
function eachOf(run: RunState, of: string): NeedValue {
  const known = run.gathered.get(of)
  if (known) return known
  const nodes = run.plan.perHost?.[of] ?? run.calls.perHost.get(of) ?? []
  const values = nodes.map(({ host, node: id }) => {
    const state = run.byId.get(id)
    return { stage: state?.node.stage ?? run.plan.stage, host, value: state?.result }
  })
  const made: NeedValue = { kind: 'each', values }
  run.gathered.set(of, made)
  return made
}
