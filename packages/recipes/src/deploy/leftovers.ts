import type { Building, HostState } from './host-state.ts'
import { isGone } from './lock/process.ts'

/** The run that asks, and whether it holds the deploy lock. */
export interface Asker {
  readonly run: string
  readonly locked: boolean
}

/**
 * What dead runs left in `releases`: folders half built or half removed, and releases that never became live. What a run that may
 * live is building is nobody's leftover.
 */
export function leftovers(state: HostState, asker: Asker): readonly string[] {
  const { hidden, releases, building, old } = state
  const maker = new Map(building.map((one) => [one.name, one]))
  const isLeft = (folder: string, name: string): boolean => {
    const one = maker.get(name)
    if (one?.run === asker.run) return false
    return old.includes(folder) || isOver(one, asker)
  }
  return [
    ...hidden.filter(
      (folder) =>
        folder.includes('.gone.') || (!folder.endsWith('.failed') && isLeft(folder, folder.slice(1))),
    ),
    // The live release is in no list of what is being built, whatever its last line says.
    ...releases.filter(({ name }) => maker.has(name) && isLeft(name, name)).map(({ name }) => name),
  ]
}

function isOver(one: Building | undefined, asker: Asker): boolean {
  // A folder for which there is no line yet: its run may be just about to write it.
  if (one === undefined) return asker.locked
  // Only one run holds the lock, and that is the one that asks: the other has lost it, and will see before it changes anything.
  if (one.locked === true && asker.locked) return true
  return one.process !== undefined && isGone(one.process)
}
