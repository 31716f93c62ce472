import { canonicalJson } from '../node-id.ts'
import { listed } from '../listed.ts'
import { keyOf, own, placeOf, shown, type Outline } from './outline.ts'
import type { Binding, PlanNode } from '../plan.ts'

/** What is said of a node: the sentence before and after its name. */
type Said = readonly [head: string, tail: string]

/** What nodes that are in both plans do otherwise. What is said of many places of a task is one sentence. */
export function nodeChanges(before: Outline, after: Outline): readonly string[] {
  const said = new Map<string, { readonly key: string; readonly said: Said; readonly places: string[] }>()
  for (const [id, was] of before.nodes) {
    const is = after.nodes.get(id)
    if (!is) continue
    for (const one of differences(was, is, before, after)) {
      const key = was.kind === 'task' ? keyOf(was) : id
      const known = said.get(`${key}\n${one.join('\n')}`)
      if (known) known.places.push(placeOf(was))
      else said.set(`${key}\n${one.join('\n')}`, { key, said: one, places: [placeOf(was)] })
    }
  }
  return [...said.values()].map(({ key, said: [head, tail], places }) => {
    const everywhere = places.length >= (before.tasks.get(key)?.size ?? 1)
    return `${head}'${key}'${everywhere ? '' : ` on ${listed(places)}`}${tail}`
  })
}

function differences(was: PlanNode, is: PlanNode, before: Outline, after: Outline): readonly Said[] {
  const found: Said[] = []
  for (const field of fieldsOf(was, is)) {
    const [a, b] = [was[field], is[field]]
    if (a === b) continue
    if (field === 'needs') found.push(...needsChanges(was, is, before, after))
    else if (!same(a, b)) found.push(say(field, a, b))
  }
  return found
}

// Whatever fields a node has, also those that this file does not know: none may go unseen.
function fieldsOf(was: PlanNode, is: PlanNode): ReadonlySet<keyof PlanNode> {
  return new Set([...Object.keys(was), ...Object.keys(is)] as (keyof PlanNode)[])
}

function same(was: unknown, is: unknown): boolean {
  if (typeof was !== 'object' && typeof is !== 'object') return was === is
  return canonicalJson(was ?? null) === canonicalJson(is ?? null)
}

function say(field: keyof PlanNode, was: unknown, is: unknown): Said {
  if (field === 'skip' && is === undefined) return ['', ` was skipped (${String(was)}), and would now run.`]
  if (field === 'skip' && was === undefined) return ['', ` was to run, and is now skipped: ${String(is)}.`]
  if (field === 'milestone') return ['', is === true ? ' has no body any more.' : ' has a body now.']
  return [`The ${field} of `, ` was ${shown(was)} and is now ${shown(is)}.`]
}

function needsChanges(was: PlanNode, is: PlanNode, before: Outline, after: Outline): readonly Said[] {
  const keys = new Set([...Object.keys(was.needs), ...Object.keys(is.needs)])
  return [...keys].flatMap((key): readonly Said[] => {
    const [a, b] = [own(was.needs, key), own(is.needs, key)]
    if (same(a, b) || follows(a, b, before, after)) return []
    return [[`needs.${key} of `, ` was ${source(a, was)}, and is now ${source(b, is)}.`]]
  })
}

/** Whether it is no news, because a task or place that it names came or went, which is told already. */
function follows(
  was: Binding | undefined,
  is: Binding | undefined,
  before: Outline,
  after: Outline,
): boolean {
  const gone =
    was?.kind === 'one' ? !after.nodes.has(was.node) : was?.kind === 'each' && !after.tasks.has(was.of)
  const fresh =
    is?.kind === 'one' ? !before.nodes.has(is.node) : is?.kind === 'each' && !before.tasks.has(is.of)
  return gone || fresh
}

function source(binding: Binding | undefined, { stage, host }: PlanNode): string {
  if (binding === undefined) return 'not there'
  if (binding.kind === 'none') return 'of nothing'
  if (binding.kind === 'each') return `of '${binding.of}' on every host`
  const here = `@${stage}/${host ?? ''}`
  const isOwn = host !== undefined && binding.node.endsWith(here)
  return isOwn ? `of '${binding.node.slice(0, -here.length)}' on its own host` : `of '${binding.node}'`
}
