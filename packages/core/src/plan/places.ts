import type { StageEntry } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import { normalizeOn, rolesOf, selectHosts, type On } from '../host/on.ts'
import { Problem } from '../problem/problem.ts'
import type { AnyTask } from '../task/task.ts'

/** Where a task runs. One undefined entry: the control machine. */
export type Places = readonly (Host | undefined)[]

/** Says where tasks run. Tasks that name the same roles get the same list, which is made once. */
export type PlaceFinder = (on: On | undefined, stage: StageEntry) => Places

const HERE: Places = [undefined]

export function placeFinder(): PlaceFinder {
  const byRole = new Map<StageEntry, Map<string, Places>>()
  return (on, stage) => {
    if (on === undefined) return HERE
    const { role, pick } = normalizeOn(on)
    // A condition is asked for each task: two of them are alike only to whoever wrote them.
    if (typeof role !== 'string' || pick === 'primary') return selectHosts(on, stage.hosts)
    let known = byRole.get(stage)
    if (!known) byRole.set(stage, (known = new Map<string, Places>()))
    let places = known.get(role)
    if (!places) known.set(role, (places = selectHosts(on, stage.hosts)))
    return places
  }
}

export function noHost(task: AnyTask, stage: StageEntry): Problem {
  const { spec, location } = task['~task']
  const roles = spec.on === undefined ? [] : rolesOf(spec.on)
  const what =
    roles.length === 0
      ? 'no host that matches'
      : `no host with the role ${roles.map((role) => `'${role}'`).join(' or ')}`
  return new Problem(
    'usage',
    'NO_HOST',
    `'${task.name}' has nowhere to run: the stage '${stage.stage.name}' has ${what}`,
    {
      location,
      hint: `Give a host of '${stage.stage.name}' that role in the config, or choose another stage.`,
    },
  )
}
