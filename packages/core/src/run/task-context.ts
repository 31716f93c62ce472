import type { Catalog, StageEntry } from '../config/catalog.ts'
import type { Host } from '../host/host.ts'
import type { Job, JobLink, JobRun, NeedValue } from '../port/executor.ts'
import { Problem } from '../problem/problem.ts'
import type { Shell, ShellProvider, ShellScope } from '../port/shell.ts'
import type { BaseContext, RunInfo } from '../task/context.ts'
import { redact } from '../secret/redact.ts'
import { perHost, type PerHost } from '../task/needs.ts'
import type { AnyTask } from '../task/task.ts'
import { HeardCall } from './heard-call.ts'

/** The context of one entry into a body, and the reason that the body gave to `skip`. */
export interface Opened {
  readonly context: BaseContext
  /** What went wrong in calls that the body did not look at. */
  readonly unheard: readonly unknown[]
  readonly skipped: () => string | undefined
}

/** Builds what `run`, `undo` and `finally` get. Shells are opened when they are first read, so a body that uses none connects to none. */
export function contextOf(catalog: Catalog, shells: ShellProvider, job: Job, link: JobLink): Opened {
  const { stage: stageName, host: hostName, input } = job.node
  const entry = catalog.stages.get(stageName)
  if (!entry) throw new Error(`the plan has the stage '${stageName}', which the config does not have`)
  const host = hostName === undefined ? undefined : hostOf(entry, hostName)
  let skipped: string | undefined
  const unheard: unknown[] = []
  const context: Omit<BaseContext, 'local'> &
    WithDoors & {
      readonly needs: unknown
      readonly input: unknown
      readonly call: unknown
      readonly remoteOf: unknown
    } = {
    [DOORS]: { shells, link, host, terminal: job.run.terminal === true },
    task: job.node.task,
    stage: entry.stage,
    hosts: entry.hosts,
    input: input ?? {},
    needs: readNeeds(catalog, job),
    signal: link.signal,
    run: infoOf(job.run),
    failures: job.failures,
    log: (message) => {
      link.emit({ type: 'node.log', message: redact(message) })
    },
    progress: (done, total, { what, unit, estimated, note } = {}) => {
      link.emit({
        ...{ type: 'node.progress', done },
        ...(total !== undefined && { total }),
        ...(what !== undefined && { what: redact(what) }),
        ...(unit !== undefined && { unit }),
        ...(estimated === true && { estimated }),
        ...(note !== undefined && { note: redact(note) }),
      })
    },
    skip: (reason: string, value?: unknown) => {
      skipped = reason
      return value as undefined
    },
    confirm: (question) => link.ask(question),
    call: (task: AnyTask, input?: unknown) => {
      const given = input === undefined ? task['~task'].bound : input
      const call = HeardCall.of(link.call(task.name, given).then((value) => readNeed(catalog, value)))
      call.onUnheard((reason) => unheard.push(reason))
      return call
    },
    remoteOf: (need: string) =>
      shells.remote(hostOfNeed(catalog, job, need), scopeOf(link, job.run.terminal === true)),
  }
  Object.defineProperty(context, 'local', LOCAL)
  if (host) {
    Object.defineProperty(context, 'host', { value: host, enumerable: true })
    Object.defineProperty(context, 'remote', REMOTE)
  }
  if (job.phase === 'undo') Object.assign(context, { result: job.result, outcome: job.outcome })
  return { context: context as unknown as BaseContext, skipped: () => skipped, unheard }
}

/** One for all bodies of a run that this process enters. */
const infos = new WeakMap<JobRun, RunInfo>()

function infoOf(run: JobRun): RunInfo {
  const known = infos.get(run) ?? { ...run, startedAt: new Date(run.startedAt) }
  infos.set(run, known)
  return known
}

const DOORS = Symbol('doors')

interface WithDoors {
  readonly [DOORS]: {
    readonly shells: ShellProvider
    readonly link: JobLink
    readonly host: Host | undefined
    readonly terminal: boolean
  }
}

// The same functions for every context, and not closures of each: with those, the engine makes a class of objects for every body.
const LOCAL: PropertyDescriptor & ThisType<WithDoors> = {
  get() {
    const { shells, link, terminal } = this[DOORS]
    return keep(this, 'local', shells.local(scopeOf(link, terminal)))
  },
  enumerable: true,
  configurable: true,
}

const REMOTE: PropertyDescriptor & ThisType<WithDoors> = {
  get() {
    const { shells, link, host, terminal } = this[DOORS]
    return host && keep(this, 'remote', shells.remote(host, scopeOf(link, terminal)))
  },
  enumerable: true,
  configurable: true,
}

// Replaces a getter by its value.
function keep(target: object, key: string, value: Shell): Shell {
  Object.defineProperty(target, key, { value, enumerable: true })
  return value
}

function scopeOf(link: JobLink, terminal: boolean): ShellScope {
  return {
    signal: link.signal,
    emit: (event) => {
      link.emit({ type: 'node.command', event })
    },
    ...(terminal && link.lendTerminal && { lendTerminal: link.lendTerminal.bind(link) }),
  }
}

const hostsByName = new WeakMap<StageEntry, ReadonlyMap<string, Host>>()

function hostOf(entry: StageEntry, name: string): Host {
  let byName = hostsByName.get(entry)
  if (!byName) {
    byName = new Map(entry.hosts.map((host) => [host.name, host]))
    hostsByName.set(entry, byName)
  }
  const host = byName.get(name)
  if (host) return host
  throw new Error(`the plan has the host '${name}', which the stage '${entry.stage.name}' does not have`)
}

function hostOfNeed(catalog: Catalog, { node, needs }: Job, name: string): Host {
  const need = needs[name]
  const entry = need?.kind === 'one' ? catalog.stages.get(need.stage ?? '') : undefined
  if (need?.kind === 'one' && need.host !== undefined && entry) return hostOf(entry, need.host)
  throw new Problem(
    'task',
    'NEED_HOST',
    `'${node.task}' asks for the host of its need '${name}', which is not on one host`,
    {
      hint: "remoteOf takes the name of a need that is planned, and runs on one host: with `on: { …, pick: 'primary' }`.",
    },
  )
}

const NO_NEEDS: Readonly<Record<string, unknown>> = {}

function readNeeds(catalog: Catalog, { needs }: Job): Readonly<Record<string, unknown>> {
  let read: Record<string, unknown> | undefined
  for (const key in needs) {
    const need = needs[key]
    if (need === undefined) continue
    read ??= {}
    read[key] = readNeed(catalog, need)
  }
  return read ?? NO_NEEDS
}

function readNeed(catalog: Catalog, need: NeedValue): unknown {
  return need.kind === 'one' ? need.value : resultsOf(catalog, need)
}

// By what the run gives all dependents of one need, so that a thousand of them do not make a thousand lists of a thousand.
const gathered = new WeakMap<NeedValue, PerHost<unknown>>()

function resultsOf(catalog: Catalog, need: NeedValue & { readonly kind: 'each' }): PerHost<unknown> {
  const known = gathered.get(need)
  if (known) return known
  const made = perHost(
    need.values.map(({ stage, host, value }) => {
      const entry = catalog.stages.get(stage)
      if (!entry)
        throw new Error(`a job has a result of the stage '${stage}', which the config does not have`)
      return { host: hostOf(entry, host), value }
    }),
  )
  gathered.set(need, made)
  return made
}
