import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/**
 * Waits until no other call of the same caller holds a lock that these nodes have, and holds all of them until the returned function
 * is called. The caller itself has them in the run, which is why only its own calls can meet here.
 */
export async function holdLocks(
  { calls }: RunState,
  caller: NodeState,
  states: readonly NodeState[],
): Promise<() => void> {
  const names = new Set(states.flatMap(({ node }) => node.locks ?? []))
  if (names.size === 0) return () => undefined
  const known = calls.locks.get(caller)
  const own = known ?? { held: new Set<string>(), waiting: new Set<() => void>() }
  if (!known) calls.locks.set(caller, own)
  while ([...names].some((name) => own.held.has(name))) {
    await new Promise<void>((wake) => own.waiting.add(wake))
  }
  for (const name of names) own.held.add(name)
  return () => {
    for (const name of names) own.held.delete(name)
    const woken = [...own.waiting]
    own.waiting.clear()
    for (const wake of woken) wake()
  }
}
