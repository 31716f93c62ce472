import { listed } from '../listed.ts'
import type { Outline } from './outline.ts'

/** Tasks that came or went, and hosts that a task has left or joined. */
export function taskChanges(before: Outline, after: Outline): readonly string[] {
  const gone = missing(before.tasks.keys(), after.tasks)
  const fresh = missing(after.tasks.keys(), before.tasks)
  const kept = [...before.tasks.keys()].filter((key) => after.tasks.has(key))
  const lost = new Set(missing(hostsIn(before), hostsIn(after)))
  const won = new Set(missing(hostsIn(after), hostsIn(before)))
  // A host that came or went altogether is told once, not for each task.
  const leaving = kept.filter((key) => runsOn(before, key, lost))
  const joining = kept.filter((key) => runsOn(after, key, won))
  return [
    ...(gone.length > 0 ? [`${quoted(gone)} ${areOrIs(gone)} no longer in the plan.`] : []),
    ...(fresh.length > 0 ? [`${quoted(fresh)} ${areOrIs(fresh)} new in the plan.`] : []),
    ...(leaving.length > 0
      ? [`${quoted(leaving)} no longer ${runOrRuns(leaving)} on ${listed([...lost])}.`]
      : []),
    ...(joining.length > 0 ? [`${quoted(joining)} now ${runOrRuns(joining)} on ${listed([...won])}.`] : []),
    ...kept.flatMap((key) => moves(key, before, after, lost, won)),
    ...kept.flatMap((key) => reassigned(key, before, after)),
  ]
}

function moves(
  key: string,
  before: Outline,
  after: Outline,
  lost: ReadonlySet<string>,
  won: ReadonlySet<string>,
): readonly string[] {
  const [was, is] = [before.tasks.get(key), after.tasks.get(key)]
  if (!was || !is) return []
  const left = missing(was.keys(), is).filter((place) => !lost.has(place))
  const joined = missing(is.keys(), was).filter((place) => !won.has(place))
  return [
    ...(left.length > 0 ? [`'${key}' no longer runs on ${listed(left)}.`] : []),
    ...(joined.length > 0 ? [`'${key}' now runs on ${listed(joined)}.`] : []),
  ]
}

function reassigned(key: string, before: Outline, after: Outline): readonly string[] {
  if (before.onFailure.has(key) === after.onFailure.has(key)) return []
  return after.onFailure.has(key)
    ? [`'${key}' was part of the run, and is now done only after a failure.`]
    : [`'${key}' was done only after a failure, and is now part of the run.`]
}

function missing(keys: Iterable<string>, from: { has(key: string): boolean }): readonly string[] {
  return [...keys].filter((key) => !from.has(key))
}

function hostsIn({ tasks }: Outline): ReadonlySet<string> {
  const hosts = new Set<string>()
  for (const places of tasks.values())
    for (const [place, { host }] of places) if (host !== undefined) hosts.add(place)
  return hosts
}

function runsOn({ tasks }: Outline, key: string, hosts: ReadonlySet<string>): boolean {
  return hosts.size > 0 && [...(tasks.get(key)?.keys() ?? [])].some((place) => hosts.has(place))
}

function quoted(keys: readonly string[]): string {
  return listed(keys.map((key) => `'${key}'`))
}

function areOrIs(keys: readonly string[]): string {
  return keys.length === 1 ? 'is' : 'are'
}

function runOrRuns(keys: readonly string[]): string {
  return keys.length === 1 ? 'runs' : 'run'
}
