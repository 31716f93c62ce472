/**
 * Limits beyond the number of bodies at once: what each node takes of which resources, all of it at once or nothing, so that no node
 * holds one while it waits for another and none can wait for ever.
 */
export interface Gate {
  /** Takes all that a node needs and says true; else false, and the node is woken when it is worth another try. */
  enter(node: number): boolean
  /** Gives back what a node took. */
  leave(node: number): void
}

/** A gate over resources by name; a node of which `of` names none passes. `wake` is called for nodes that did not get in before. */
export function createGate(
  of: (node: number) => readonly string[],
  sizeOf: (resource: string) => number,
  wake: (node: number) => void,
): Gate {
  const resources = new Map<string, Resource>()
  const find = (name: string): Resource => {
    const known = resources.get(name)
    if (known) return known
    const made = { free: sizeOf(name), parked: [] }
    resources.set(name, made)
    return made
  }
  /** By node, the resource that it waited for: what it then does not take goes to the next. */
  const wokenBy = new Map<number, Resource>()
  const wakeOne = (resource: Resource): void => {
    const next = resource.parked.shift()
    if (next === undefined) return
    wokenBy.set(next, resource)
    wake(next)
  }
  return {
    enter(node) {
      const names = of(node)
      if (names.length === 0) return true
      const taken = names.map(find)
      const before = wokenBy.get(node)
      wokenBy.delete(node)
      const full = taken.find(({ free }) => free === 0)
      if (!full) {
        for (const resource of taken) resource.free--
        return true
      }
      full.parked.push(node)
      if (before && before !== full && before.free > 0) wakeOne(before)
      return false
    },
    leave(node) {
      for (const name of of(node)) {
        const resource = find(name)
        resource.free++
        wakeOne(resource)
      }
    },
  }
}

interface Resource {
  free: number
  /** Nodes that need it, in the order in which they came. */
  readonly parked: number[]
}
