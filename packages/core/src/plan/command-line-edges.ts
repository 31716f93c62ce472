import type { AnyTask } from '../task/task.ts'
import { addEdge, joinOf, type Draft, type Placed } from './draft.ts'
import { instanceKey } from './node-id.ts'

/** Tasks on one command line run left to right: what only a later one brings in waits until the one before is over. */
export function addCommandLineEdges(draft: Draft, requested: readonly AnyTask[]): void {
  if (requested.length < 2) return
  const reason = { type: 'command line' } as const
  const brought = byRequest(draft)
  for (const [request, task] of requested.entries()) {
    const before = requested[request - 1]
    const previous = before && draft.placed.get(instanceKey(before.name, before['~task'].bound))
    if (!previous || previous.ends.length === 0) continue
    if (previous.instance.key === instanceKey(task.name, task['~task'].bound)) continue
    const over = joinOf(draft, 'over', previous.instance, previous.ends, 'settled')
    for (const { starts } of brought.get(request) ?? [])
      for (const start of starts) addEdge(over, start, reason, 'settled')
  }
}

function byRequest({ placed }: Draft): ReadonlyMap<number, readonly Placed[]> {
  const found = new Map<number, Placed[]>()
  for (const one of placed.values()) {
    const known = found.get(one.instance.request)
    if (known) known.push(one)
    else found.set(one.instance.request, [one])
  }
  return found
}
