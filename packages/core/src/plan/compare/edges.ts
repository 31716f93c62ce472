import { explain } from '../order.ts'
import { listed } from '../listed.ts'
import { keyOf, placeOf, type Outline } from './outline.ts'
import type { EdgeReason, PlanEdge } from '../plan.ts'

/**
 * Who no longer waits for whom, and who now does. By tasks, not by nodes: joins and the starts and ends around hooks are looked
 * through. What follows from a task or a place that came or went is told there.
 */
export function edgeChanges(before: Outline, after: Outline): readonly string[] {
  const [was, is] = [waits(before), waits(after)]
  const gone = [...was].filter(([identity]) => !is.has(identity)).map(([, wait]) => wait)
  const fresh = [...is].filter(([identity]) => !was.has(identity)).map(([, wait]) => wait)
  const known = (wait: Wait): boolean => [before, after].every((outline) => isIn(outline, wait))
  const hooks = { before: hooksIn(before), after: hooksIn(after) }
  return [
    ...new Set([
      ...say(gone.filter(known), 'no longer waits', before, hooks),
      ...say(fresh.filter(known), 'now waits', after, hooks),
    ]),
  ]
}

interface Wait {
  readonly from: string
  readonly to: string
  readonly place: string
  readonly kind: PlanEdge['kind']
  readonly reason: EdgeReason
}

function waits({ nodes, edges }: Outline): ReadonlyMap<string, Wait> {
  const found = new Map<string, Wait>()
  for (const { from, to, kind, reason } of edges) {
    const [first, second] = [nodes.get(from), nodes.get(to)]
    if (reason.type === 'structure' || !first || !second) continue
    // The joins between batches and between hooks are numbered in their order.
    const isNumbered = reason.type === 'rolling' || isHook(reason)
    const start = isNumbered && first.kind === 'join' ? from : keyOf(first)
    const wait = { from: keyOf(first), to: keyOf(second), place: placeOf(second), kind, reason }
    const end = reason.type === 'rolling' && second.kind === 'join' ? `${to} ${placeOf(first)}` : wait.place
    found.set([start, wait.to, end, kind, explain(reason)].join('\n'), wait)
  }
  return found
}

function isIn({ tasks }: Outline, { from, to, place, reason }: Wait): boolean {
  const places = tasks.get(to)
  if (reason.type === 'rolling') return places !== undefined
  return tasks.has(from) && places !== undefined && (places.has(place) || place === 'this machine')
}

interface Hooks {
  readonly before: ReadonlySet<string>
  readonly after: ReadonlySet<string>
}

function hooksIn({ edges }: Outline): ReadonlySet<string> {
  return new Set(edges.flatMap(({ reason }) => (isHook(reason) ? [explain(reason)] : [])))
}

type HookReason = EdgeReason & { readonly type: 'before' | 'after' }

function isHook(reason: EdgeReason): reason is HookReason {
  return reason.type === 'before' || reason.type === 'after'
}

function say(
  waits: readonly Wait[],
  verb: 'no longer waits' | 'now waits',
  outline: Outline,
  hooks: Hooks,
): readonly string[] {
  const groups = new Map<string, Wait & { readonly places: string[] }>()
  const sentences = new Set<string>()
  for (const wait of waits) {
    const { from, to, place, kind, reason } = wait
    if (isHook(reason)) sentences.add(hookSentence(reason, hooks))
    else if (reason.type === 'rolling') sentences.add(`The batches of '${reason.of}' are others.`)
    else {
      const group = [from, to, kind, explain(reason)].join('\n')
      const known = groups.get(group)
      if (known) known.places.push(place)
      else groups.set(group, { ...wait, places: [place] })
    }
  }
  for (const { from, to, kind, reason, places } of groups.values()) {
    const where = places.length >= (outline.tasks.get(to)?.size ?? 1) ? '' : ` on ${listed(places)}`
    const what = kind === 'settled' ? `until '${from}' is over` : `for '${from}'`
    sentences.add(`'${to}'${where} ${verb} ${what} (${explain(reason)}).`)
  }
  return [...sentences]
}

function hookSentence(reason: HookReason, { before, after }: Hooks): string {
  const { type, hook, of } = reason
  if (!after.has(explain(reason))) return `'${hook}' is no longer done ${type} '${of}'.`
  if (!before.has(explain(reason))) return `'${hook}' is now done ${type} '${of}'.`
  return `'${hook}' is done ${type} '${of}' in another order, or on other hosts.`
}
