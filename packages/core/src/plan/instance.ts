import type { Catalog, StageEntry } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import { normalizeOn, rolesOf, selectHosts } from '../host/on.ts'
import { Problem } from '../problem/problem.ts'
import { readNeed } from '../task/needs.ts'
import { makeTask, type AnyTask, type ErasedSpec } from '../task/task.ts'
import { instanceKey } from './node-id.ts'

/** A task with its input, on all its places: what the plan holds once, and then as one node per place. */
export interface Instance {
  readonly key: string
  readonly task: AnyTask
  readonly spec: ErasedSpec
  readonly stage: StageEntry
  /** One undefined entry: the control machine. Empty: `on` matched nothing and the task allows that. */
  readonly places: readonly (Host | undefined)[]
  readonly input: unknown
  /** Places where `when` said no, with its reason. */
  readonly skipped: ReadonlyMap<Host | undefined, string>
  /** Which requested task brought it in, counting from 0. */
  readonly request: number
  /** Set when it was planned only as a hook of this task. */
  readonly hookOf: string | undefined
}

export interface InstanceRequest {
  readonly task: AnyTask
  readonly request: number
  readonly hookOf: string | undefined
}

/** The stage on which a task runs: its own choice, else the run's. */
export function stageOf(catalog: Catalog, spec: ErasedSpec, stage: StageEntry): StageEntry {
  const other = spec.on === undefined ? undefined : normalizeOn(spec.on).stage
  return (other === undefined ? undefined : catalog.stages.get(other)) ?? stage
}

export function makeInstance(wanted: InstanceRequest, stage: StageEntry, input: unknown): Instance {
  const { task, request, hookOf } = wanted
  const { spec, bound } = task['~task']
  const places = spec.on === undefined ? [undefined] : selectHosts(spec.on, stage.hosts)
  if (places.length === 0 && spec.onNoHost !== 'skip' && hookOf === undefined) throw noHost(task, stage)
  const skipped = new Map<Host | undefined, string>()
  if (spec.when) {
    for (const host of places) {
      const verdict = spec.when({ stage: stage.stage, input, ...(host && { host }) })
      if (verdict !== true)
        skipped.set(host, typeof verdict === 'string' ? verdict : `not on ${stage.stage.name}`)
    }
  }
  return { key: instanceKey(task.name, bound), task, spec, stage, places, input, skipped, request, hookOf }
}

/** True when something of it will really run, so that its needs and hooks are wanted too. */
export function isLive(instance: Instance): boolean {
  return instance.places.length > instance.skipped.size
}

function noHost(task: AnyTask, stage: StageEntry): Problem {
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

/**
 * What a task hard-needs, and its hooks: all that comes into the plan with it. By name through the catalog, since an override may stand
 * there in place of the task that the value is.
 */
export function bringsIn(
  catalog: Catalog,
  task: AnyTask,
): readonly { readonly task: AnyTask; readonly hook: boolean }[] {
  const needs = Object.values(task['~task'].spec.needs).map(readNeed)
  const hooks = [...(catalog.before.get(task.name) ?? []), ...(catalog.after.get(task.name) ?? [])]
  return [
    ...needs
      .filter((need) => !need.optional)
      .map((need) => ({ task: standing(catalog, need.task), hook: false })),
    ...hooks.map((hook) => ({ task: standing(catalog, hook), hook: true })),
  ]
}

/** The catalog's task of that name, with the input that the value binds. */
function standing(catalog: Catalog, value: AnyTask): AnyTask {
  const own = catalog.tasks.get(value.name)
  const { spec, bound } = value['~task']
  if (!own || own['~task'].spec === spec) return value
  return makeTask(own.name, own['~task'].spec, own['~task'].location, bound)
}
