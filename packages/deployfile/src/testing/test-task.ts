import {
  makeTask,
  readNeed,
  resolvePlan,
  type AnyTask,
  type Catalog,
  type InputOf,
  type NodeStatus,
  type Phase,
  type Plan,
  type ProblemRecord,
  type Question,
  type ResultOf,
} from '@deployfile/core'
import { invalid, withFakes, type Fake } from './fake.ts'
import {
  callsOf,
  recordedRun,
  type RecordedRun,
  type TestCall,
  type TestCommand,
  type World,
} from './recorded-run.ts'
import { catalogOf, reachable, type Surroundings } from './subject.ts'

export interface TestTaskOptions extends Surroundings, World {
  /** What its needs give. Every task that it needs must have one; what is `optional` only where it should be there. */
  readonly fakes?: readonly Fake[]
  /** For a task with `on`: which of `hosts` it is tested on. Default: the first that it runs on. */
  readonly host?: string
  /** Let something fail after it, so that its `undo` runs although its body ended well. Default false. */
  readonly undo?: boolean
}

/** What `undo` or `finally` did. */
export interface TestedPhase {
  readonly failure: ProblemRecord | undefined
  readonly logs: readonly string[]
  readonly commands: readonly TestCommand[]
}

export interface TestedTask<R> {
  readonly status: NodeStatus
  /** What the body returned; undefined unless it ended well. */
  readonly result: R | undefined
  /** The reason given by `skip` or `when`. */
  readonly skipped: string | undefined
  readonly failure: ProblemRecord | undefined
  readonly logs: readonly string[]
  readonly commands: readonly TestCommand[]
  readonly questions: readonly Question[]
  /** What its body called, in order. */
  readonly calls: readonly TestCall[]
  /** Undefined where it did not run: `undo` runs after a failure, of the task or (`undo: true`) after it. */
  readonly undo: TestedPhase | undefined
  readonly finally: TestedPhase | undefined
}

// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- asks whether every key of the input may be absent
type NeedsNone<T> = {} extends InputOf<T> ? true : false
type Given<T> =
  NeedsNone<T> extends true
    ? [options?: TestTaskOptions & { readonly input?: InputOf<T> }]
    : [options: TestTaskOptions & { readonly input: InputOf<T> }]

/**
 * Runs one task without hosts: its body, and `undo` and `finally` as a run would. Commands are recorded and answered from `answers`.
 * @throws Problem (usage) when a need has no fake, or a fake or an input does not fit
 */
export async function testTask<T extends AnyTask>(
  task: T,
  ...[options = {}]: Given<T>
): Promise<TestedTask<ResultOf<T>>> {
  const { fakes = [], host, input } = options as TestTaskOptions & { readonly input?: unknown }
  const tested: AnyTask = input === undefined ? task : task.with(input)
  const later = options.undo === true ? [failsAfter(tested)] : []
  const catalog = withFakes(catalogOf([tested, ...later, ...onlyCalled(tested, fakes)], options), fakes)
  const [stage] = catalog.stages.keys()
  const tasks = [...wantedOptionals(task, fakes), tested, ...later]
  const plan = onOneHost(resolvePlan(catalog, { stage, tasks }), task.name, host)
  checkFakes(plan, catalog, task, fakes)
  const run = await recordedRun(catalog, plan, options)
  checkUsed(plan, run, task, fakes)
  return told(task.name, plan, run)
}

const LATER = 'deployfile-testing:later'

function failsAfter(task: AnyTask): AnyTask {
  const run = (): never => {
    throw new Error('undo: true')
  }
  const rest = { input: undefined, on: undefined, when: undefined, undo: undefined, finally: undefined }
  // An override stands only in `tasks`: it is needed as the task whose place it takes.
  const { bound, spec } = task['~task']
  const { overrides } = spec
  const needed = overrides === undefined ? task : bound === undefined ? overrides : overrides.with(bound)
  return makeTask(LATER, { ...rest, needs: { needed }, onError: 'fail', run }, undefined, undefined)
}

/** What is optional is there only when something plans it. */
function wantedOptionals(task: AnyTask, fakes: readonly Fake[]): readonly AnyTask[] {
  return Object.values(task['~task'].spec.needs).flatMap((need) => {
    const { task: needed, optional } = readNeed(need)
    return optional && fakes.some((one) => one.task === needed.name) ? [needed] : []
  })
}

/** Without the tested task's other hosts; its needs keep all of theirs. */
function onOneHost(plan: Plan, task: string, wanted: string | undefined): Plan {
  const places = plan.nodes.filter((node) => node.task === task && node.kind === 'task')
  const chosen = wanted === undefined ? places[0] : places.find((node) => node.host === wanted)
  if (!chosen) {
    const hosts = places.flatMap(({ host }) => host ?? [])
    throw invalid(
      `'${task}' does not run on ${String(wanted)}`,
      `It runs on: ${hosts.join(', ') || 'no host'}.`,
    )
  }
  const dropped = new Set(places.flatMap(({ id }) => (id === chosen.id ? [] : [id])))
  return {
    ...plan,
    nodes: plan.nodes.filter(({ id }) => !dropped.has(id)),
    edges: plan.edges.filter(({ from, to }) => !dropped.has(from) && !dropped.has(to)),
  }
}

function checkFakes(plan: Plan, catalog: Catalog, task: AnyTask, fakes: readonly Fake[]): void {
  const planned = new Set(plan.nodes.map((node) => node.task))
  const own = new Set([task.name, LATER, ...fakes.map((one) => one.task)])
  const missing = [...planned].find((name) => !own.has(name) && catalog.tasks.get(name)?.['~task'].spec.run)
  if (missing === undefined) return
  throw invalid(
    `'${task.name}' needs '${missing}', and there is no fake of it`,
    `Say what it gives: fakes: [fake(${missing}, …)], with the task's value.`,
  )
}

/** A fake stands for a need, or for what the body calls, or for what that needs. */
function checkUsed(plan: Plan, { events }: RecordedRun, task: AnyTask, fakes: readonly Fake[]): void {
  const called = events.flatMap((event) => (event.type === 'node.calling' ? event.plan.nodes : []))
  const used = new Set([...plan.nodes, ...called].map((node) => node.task))
  const unused = fakes.find((one) => !used.has(one.task))
  if (!unused) return
  throw invalid(
    `'${task.name}' neither needs nor called '${unused.task}', of which there is a fake`,
    'Remove it.',
  )
}

/** The tasks of fakes that no plan brings in. */
function onlyCalled(task: AnyTask, fakes: readonly Fake[]): readonly AnyTask[] {
  const needed = new Set(reachable([task]).map(({ name }) => name))
  return fakes.flatMap(({ of }) => (needed.has(of.name) ? [] : [of]))
}

function told<R>(task: string, plan: Plan, run: RecordedRun): TestedTask<R> {
  const node = plan.nodes.find((one) => one.task === task && one.kind === 'task')?.id ?? ''
  const outcome = run.outcome.nodes.get(node)
  const body = phaseOf(run, node, 'run')
  const ended = run.events.find(
    (event) => event.type === 'node.ended' && event.node === node && event.phase === 'run',
  )
  const reason = ended?.type === 'node.ended' ? ended.reason : undefined
  const status = outcome?.status ?? 'blocked'
  return {
    status,
    result: outcome?.result as R | undefined,
    skipped: status === 'skipped' ? reason : undefined,
    failure: body.failure,
    logs: body.logs,
    commands: body.commands,
    questions: run.questions,
    calls: callsOf(run.events).filter((call) => call.node === node),
    undo: ran(run, node, 'undo') ? phaseOf(run, node, 'undo') : undefined,
    finally: ran(run, node, 'finally') ? phaseOf(run, node, 'finally') : undefined,
  }
}

function ran({ events }: RecordedRun, node: string, phase: Phase): boolean {
  return events.some((event) => event.type === 'node.started' && event.node === node && event.phase === phase)
}

function phaseOf({ events, commands }: RecordedRun, node: string, phase: Phase): TestedPhase {
  const mine = events.filter((event) => 'node' in event && event.node === node && event.phase === phase)
  const ended = mine.find((event) => event.type === 'node.ended')
  return {
    failure: ended?.type === 'node.ended' ? ended.problem : undefined,
    logs: mine.flatMap((event) => (event.type === 'node.log' ? [event.message] : [])),
    commands: commands.filter((command) => command.node === node && command.phase === phase),
  }
}
