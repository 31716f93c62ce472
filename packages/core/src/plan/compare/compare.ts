import { edgeChanges } from './edges.ts'
import { hostChanges } from './hosts.ts'
import { nodeChanges } from './nodes.ts'
import { exactChanges } from './exactly.ts'
import { requestChanges } from './requests.ts'
import { taskChanges } from './tasks.ts'
import { outlineOf } from './outline.ts'
import type { Plan } from '../plan.ts'

/** More sentences than these help nobody. */
const MOST = 8

/**
 * What differs between a plan as it was recorded (it may have been JSON in between) and the one that the same request makes now: a
 * sentence each, the most telling first, at most nine. Nothing for plans that would do the same. Linear in nodes and edges.
 */
export function comparePlans(recorded: Plan, now: Plan): readonly string[] {
  const asked = requestChanges(recorded.from, now.from)
  // Every name of a node has the stage in it: nothing would be left to compare.
  if (recorded.stage !== now.stage)
    return [`The stage was '${recorded.stage}' and is now '${now.stage}'.`, ...asked.slice(0, MOST)]
  const before = outlineOf(recorded)
  const after = outlineOf(now)
  const told = [
    ...asked,
    ...taskChanges(before, after),
    ...hostChanges(recorded.hosts, now.hosts),
    ...nodeChanges(before, after),
    ...edgeChanges(before, after),
  ]
  // What only our own parts between the tasks show, such as a join, is told where nothing else explains it.
  const all = told.length > 0 ? told : exactChanges(recorded, now)
  const left = all.length - MOST
  return left > 0
    ? [...all.slice(0, MOST), `And ${String(left)} more ${left === 1 ? 'difference' : 'differences'}.`]
    : all
}
