import type { Catalog, StageEntry } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import { normalizeOn } from '../host/on.ts'
import type { AnyTask, ErasedSpec } from '../task/task.ts'
import { instanceKey } from './node-id.ts'
import type { Places } from './places.ts'

/** A task with its input, on all its places: what the plan holds once, and then as one node per place. */
export interface Instance {
  readonly key: string
  readonly task: AnyTask
  readonly spec: ErasedSpec
  readonly stage: StageEntry
  /** Empty: `on` matched nothing and the task allows that. */
  readonly places: Places
  readonly input: unknown
  /** Places where `when` said no, with its reason. */
  readonly skipped: ReadonlyMap<Host | undefined, string>
  /** Which requested task brought it in, counting from 0. */
  readonly request: number
  /** Set when it was planned only as a hook of this task. */
  readonly hookOf: string | undefined
  /** Why it has no place, where it has none. */
  readonly nowhere: string | undefined
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

const NEVER: ReadonlyMap<Host | undefined, string> = new Map()

export function makeInstance(
  wanted: InstanceRequest,
  stage: StageEntry,
  places: Places,
  input: unknown,
  nowhere: string | undefined,
): Instance {
  const { task, request, hookOf } = wanted
  const { spec, bound } = task['~task']
  const key = instanceKey(task.name, bound)
  const skipped = spec.when ? decide(task.name, spec.when, stage, places, input) : NEVER
  return { key, task, spec, stage, places, input, skipped, request, hookOf, nowhere }
}

function decide(
  task: string,
  when: NonNullable<ErasedSpec['when']>,
  { stage }: StageEntry,
  places: Places,
  input: unknown,
): ReadonlyMap<Host | undefined, string> {
  const skipped = new Map<Host | undefined, string>()
  for (const host of places) {
    const verdict = when({ task, stage, input, ...(host && { host }) })
    if (verdict !== true) skipped.set(host, typeof verdict === 'string' ? verdict : `not on ${stage.name}`)
  }
  return skipped
}

/** True when something of it will really run, so that its needs and hooks are wanted too. */
export function isLive({ places, skipped }: Instance): boolean {
  return places.length > skipped.size
}
