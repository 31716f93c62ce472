import { Problem } from '../problem/problem.ts'
import { createGate, type Gate } from './gate.ts'
import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/** The gate in front of some nodes: at most so many of one host, and of one lock's pool. Undefined when nothing limits them. */
export function gateOf(
  { options }: RunState,
  states: readonly NodeState[],
): ((wake: (node: number) => void) => Gate) | undefined {
  const { perHost, catalog } = options
  const limited = perHost !== undefined || states.some(({ node }) => node.locks !== undefined)
  if (!limited) return undefined
  const resources = states.map(({ node }) => {
    const locks = (node.locks ?? []).map((name) => `lock ${name}`)
    const host = perHost !== undefined && node.host !== undefined && !node.milestone
    return host ? [`host ${node.stage}/${node.host ?? ''}`, ...locks] : locks
  })
  const sizeOf = (resource: string): number =>
    resource.startsWith('host ') ? (perHost ?? 1) : (catalog.pools.get(resource.slice('lock '.length)) ?? 1)
  return (wake) => createGate((node) => resources[node] ?? [], sizeOf, wake)
}

/** Why a node may not start although its edges are met: what may still be running holds its lock. */
export function heldForEver(run: RunState, { node }: NodeState): Problem | undefined {
  const lock = node.locks?.find((name) => run.lostLocks.has(name))
  if (lock === undefined) return undefined
  const holder = run.lostLocks.get(lock) ?? ''
  return new Problem(
    'task',
    'LOCK_LOST',
    `'${node.id}' was not started: '${holder}' may still be running and has the lock '${lock}'`,
    { host: node.host, hint: `Look for '${holder}' before anything is run again.` },
  )
}
