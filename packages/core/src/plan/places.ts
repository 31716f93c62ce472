import type { StageEntry } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import { normalizeOn, rolesOf, selectHosts, type On } from '../host/on.ts'
import { Problem } from '../problem/problem.ts'
import type { AnyTask } from '../task/task.ts'
import type { Filter } from './filter.ts'
import { listed } from './listed.ts'

/** Where a task runs. One undefined entry: the control machine. */
export type Places = readonly (Host | undefined)[]

/** Where a task runs, and what the filter took from that. */
export interface Found {
  readonly places: Places
  readonly without: readonly Host[]
}

/** Says where tasks run. Tasks that name the same role get the same lists, which are made once. */
export type PlaceFinder = (on: On | undefined, stage: StageEntry) => Found

const HERE: Found = { places: [undefined], without: [] }

export function placeFinder(filter: Filter): PlaceFinder {
  const byRole = new Map<StageEntry, Map<string, Found>>()
  return (on, stage) => {
    if (on === undefined) return HERE
    const { role, pick } = normalizeOn(on)
    // A condition is asked for each task: two of them are alike only to whoever wrote them.
    if (typeof role !== 'string' || pick === 'primary') return filtered(selectHosts(on, stage.hosts), filter)
    let known = byRole.get(stage)
    if (!known) byRole.set(stage, (known = new Map<string, Found>()))
    let found = known.get(role)
    if (!found) known.set(role, (found = filtered(selectHosts(on, stage.hosts), filter)))
    return found
  }
}

// After the primary was picked: that another host were taken for it would be worse than that none is left.
function filtered(hosts: readonly Host[], { stage, left }: Filter): Found {
  const isOut = (host: Host): boolean =>
    left !== undefined && host.stage === stage.stage.name && !left.has(host)
  return { places: hosts.filter((host) => !isOut(host)), without: hosts.filter(isOut) }
}

/** Why a task has no place, for a note. */
export function whyNowhere(stage: StageEntry, without: readonly Host[], filter: Filter): string {
  if (without.length === 0) return `the stage '${stage.stage.name}' has no host for it`
  return `${filter.told} leaves out ${listed(without.map(({ name }) => name))}`
}

/** Of a task that must run and has no place. `isRequested`: somebody asked for it by name. */
export function noHost(
  task: AnyTask,
  stage: StageEntry,
  without: readonly Host[],
  filter: Filter,
  isRequested: boolean,
): Problem {
  const { spec, location } = task['~task']
  if (without.length > 0) {
    const them = without.length === 1 ? 'it' : 'one of them'
    return new Problem(
      'usage',
      'NO_HOST',
      `'${task.name}' has nowhere to run: ${whyNowhere(stage, without, filter)}`,
      {
        location,
        hint: isRequested
          ? `Let ${them} in, or do not ask for '${task.name}'.`
          : `Let ${them} in, or leave the task out: --skip ${task.name}.`,
      },
    )
  }
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
