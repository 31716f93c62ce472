import { didYouMeanTask, taskNamed } from '../config/aliases.ts'
import type { Catalog, StageEntry } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import type { AnyTask } from '../task/task.ts'
import { listed } from './listed.ts'
import type { PlanRequest } from './request.ts'

/** What a run leaves out. */
export interface Filter {
  /** Hosts of other stages are not filtered. */
  readonly stage: StageEntry
  /** The hosts of the stage that are left; undefined: all of them. */
  readonly left: ReadonlySet<Host> | undefined
  /** What was asked for, as on a command line: `--hosts web1 --roles app`. */
  readonly told: string
  /** Tasks by their own names. */
  readonly skip: ReadonlySet<string>
  /** Those of them that would have been planned. */
  readonly skipped: Set<string>
}

type Wanted = Pick<PlanRequest, 'hosts' | 'roles' | 'skip'>

/** Of a run that leaves out nothing. */
export function noFilter(stage: StageEntry): Filter {
  return { stage, left: undefined, told: '', skip: new Set(), skipped: new Set() }
}

/**
 * @throws Problem `FILTER_UNKNOWN` (usage) for names that the stage or the config does not have, `FILTER_EMPTY` when no host is left
 */
export function readFilter(catalog: Catalog, stage: StageEntry, { hosts, roles, skip = [] }: Wanted): Filter {
  for (const name of hosts ?? []) checkHost(catalog, stage, name)
  for (const role of roles ?? []) checkRole(stage, role)
  const told = [
    ...(hosts ? [`--hosts ${hosts.join(',')}`] : []),
    ...(roles ? [`--roles ${roles.join(',')}`] : []),
  ].join(' ')
  const left =
    hosts || roles
      ? new Set(stage.hosts.filter((host) => isWanted(host, hosts) && hasRole(host, roles)))
      : undefined
  if (left?.size === 0) throw nothingLeft(stage, told, hosts, roles)
  const names = skip.map((word) => ownName(catalog, word))
  return { stage, left, told, skip: new Set(names), skipped: new Set() }
}

function isWanted({ name }: Host, hosts: readonly string[] | undefined): boolean {
  return hosts?.includes(name) ?? true
}

function hasRole(host: Host, roles: readonly string[] | undefined): boolean {
  return roles?.some((role) => host.roles.includes(role)) ?? true
}

function checkHost(catalog: Catalog, { stage, hosts }: StageEntry, name: string): void {
  const known = hosts.map((host) => host.name)
  if (known.includes(name)) return
  const other = [...catalog.stages.values()].find((entry) => entry.hosts.some((host) => host.name === name))
  throw new Problem('usage', 'FILTER_UNKNOWN', `the stage '${stage.name}' has no host '${name}'`, {
    hint: other
      ? `It is one of '${other.stage.name}'.`
      : (didYouMean(name, known) ?? `Its hosts are: ${known.join(', ')}.`),
  })
}

function checkRole({ stage, hosts }: StageEntry, role: string): void {
  const known = [...new Set(hosts.flatMap(({ roles }) => roles))]
  if (known.includes(role)) return
  throw new Problem(
    'usage',
    'FILTER_UNKNOWN',
    `no host of the stage '${stage.name}' has the role '${role}'`,
    {
      hint: didYouMean(role, known) ?? `Its roles are: ${known.join(', ')}.`,
    },
  )
}

function nothingLeft(
  { stage, hosts }: StageEntry,
  told: string,
  names: readonly string[] | undefined,
  roles: readonly string[] | undefined,
): Problem {
  const having = hosts.filter((host) => hasRole(host, roles)).map(({ name }) => name)
  return new Problem('usage', 'FILTER_EMPTY', `${told.trim()} leaves no host of the stage '${stage.name}'`, {
    hint:
      names && names.length > 0 && roles && roles.length > 0
        ? `The hosts with ${roles.length === 1 ? 'that role' : 'one of these roles'} are: ${having.join(', ')}.`
        : 'Name at least one, or leave the filter out.',
  })
}

function ownName(catalog: Catalog, word: string): string {
  const task = taskNamed(catalog, word)
  if (task) return task.name
  throw new Problem('usage', 'FILTER_UNKNOWN', `there is no task '${word}' that could be skipped`, {
    hint: didYouMeanTask(catalog, word) ?? 'deployfile -T lists the tasks.',
  })
}

/** @throws Problem `SKIP_REQUESTED` (usage) for a task that is asked for and skipped */
export function checkRequested({ skip }: Filter, requested: readonly AnyTask[]): void {
  const both = requested.find(({ name }) => skip.has(name))
  if (!both) return
  throw new Problem('usage', 'SKIP_REQUESTED', `'${both.name}' is both asked for and skipped`, {
    hint: `Leave one of them out: the task, or --skip ${both.name}.`,
  })
}

/** Whether a task that would come into the plan is left out of it. */
export function isSkipped({ skip, skipped }: Filter, { name }: AnyTask): boolean {
  if (!skip.has(name)) return false
  skipped.add(name)
  return true
}

/** Of a task whose body relies on one that is skipped. */
export function skipNeeded(task: AnyTask, needed: AnyTask): Problem {
  return new Problem('usage', 'SKIP_NEEDED', `--skip ${needed.name} leaves out what '${task.name}' needs`, {
    location: task['~task'].location,
    hint: `Skip '${task.name}', too (--skip ${task.name}), or let it do without: optional(…) around that need.`,
  })
}

/** What a person should know: whom the filter leaves out. */
export function filterNotes({ stage, left, told, skip, skipped }: Filter): readonly string[] {
  const out = left ? stage.hosts.filter((host) => !left.has(host)).map(({ name }) => name) : []
  return [
    ...(out.length > 0 ? [`${told} leaves out ${listed(out, 10)} of '${stage.stage.name}'`] : []),
    ...[...skip].map((name) =>
      skipped.has(name)
        ? `--skip ${name} leaves out '${name}', its hooks, and what nothing else needs`
        : `--skip ${name} changes nothing: it would not have run`,
    ),
  ]
}
