import { didYouMeanTask, taskNamed } from '../config/aliases.ts'
import type { Catalog, StageEntry } from '../config/catalog.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import { isTask, makeTask, type AnyTask } from '../task/task.ts'
import { collectInstances } from './collect.ts'
import { addEdge, exitsOf, joinOf, nodeAt, startDraft, type Draft } from './draft.ts'
import { addHookEdges } from './hook-edges.ts'
import { checkApart } from './failure-set.ts'
import { routeInputs } from './inputs.ts'
import { bringsIn, type Instance } from './instance.ts'
import { addNeedEdges } from './need-edges.ts'
import { instanceKey } from './node-id.ts'
import { addNodes } from './nodes.ts'
import { inOrder } from './order.ts'
import type { Plan } from './plan.ts'
import { hostsOf } from './plan-hosts.ts'
import { sourceOf, type PlanRequest, type RequestedTask } from './request.ts'
import { addRollingEdges } from './rolling-edges.ts'

/**
 * Makes the plan: requested tasks, what they need, and hooks. Pure; nothing is connected.
 * @throws Problem (usage) for unknown names, cycles, inputs that do not fit, and tasks that are left without a host
 */
export function resolvePlan(catalog: Catalog, request: PlanRequest): Plan {
  const stage = findStage(catalog, request.stage)
  const requested = request.tasks.map((wanted) => findTask(catalog, wanted))
  const candidates = closure(catalog, requested)
  const inputs = routeInputs(request.inputs ?? {}, requested, candidates, catalog)
  const draft = draftOf(catalog, collectInstances(catalog, requested, stage, inputs))
  addCommandLineEdges(draft, requested)
  const failure = planFailure(catalog, stage, draft)
  return {
    stage: stage.stage.name,
    from: sourceOf(stage.stage.name, requested, request),
    requested: requested.map(({ name }) => name),
    nodes: inOrder([...draft.nodes.values()], draft.edges),
    edges: draft.edges,
    perHost: Object.fromEntries(draft.perHost),
    hosts: hostsOf([draft, ...(failure ? [failure.draft] : [])]),
    notes: draft.notes,
    ...(failure && { onFailure: failure.plan }),
  }
}

function draftOf(catalog: Catalog, collected: ReadonlyMap<string, Instance>): Draft {
  const draft = startDraft(collected)
  const instances = [...collected.values()]
  for (const instance of instances) addNodes(draft, catalog, instance)
  for (const instance of instances) addNeedEdges(draft, instance)
  for (const instance of instances) addHookEdges(draft, catalog, instance)
  for (const instance of instances) addRollingEdges(draft, instance)
  return draft
}

interface FailureSet {
  readonly draft: Draft
  readonly plan: NonNullable<Plan['onFailure']>
}

/** What the config wants done when this run fails; a task of it that was asked for itself is not done again. */
function planFailure(catalog: Catalog, stage: StageEntry, main: Draft): FailureSet | undefined {
  const wanted = catalog.onFailure
    .map((task) => findTask(catalog, task))
    .filter((task) => !main.instances.has(instanceKey(task.name, task['~task'].bound)))
  if (wanted.length === 0) return undefined
  const draft = draftOf(catalog, collectInstances(catalog, wanted, stage, new Map(), 'onFailure'))
  checkApart(main, draft)
  main.notes.push(...draft.notes)
  for (const [key, nodes] of draft.perHost) main.perHost.set(key, nodes)
  return { draft, plan: { nodes: inOrder([...draft.nodes.values()], draft.edges), edges: draft.edges } }
}

function findStage(catalog: Catalog, name: string | undefined): StageEntry {
  const known = [...catalog.stages.keys()]
  const chosen = name ?? catalog.defaultStage
  if (chosen === undefined) {
    throw new Problem('usage', 'STAGE_MISSING', 'no stage was named, and the config has no defaultStage', {
      hint: `Put a stage first: deployfile ${known[0] ?? '<stage>'} <task>. The stages are: ${known.join(', ')}.`,
    })
  }
  const entry = catalog.stages.get(chosen)
  if (entry) return entry
  throw new Problem('usage', 'STAGE_UNKNOWN', `there is no stage '${chosen}'`, {
    hint: didYouMean(chosen, known) ?? `The stages are: ${known.join(', ')}.`,
  })
}

function findTask(catalog: Catalog, wanted: string | AnyTask | RequestedTask): AnyTask {
  const word = typeof wanted === 'string' ? wanted : wanted.name
  const bound = typeof wanted === 'string' ? undefined : isTask(wanted) ? wanted['~task'].bound : wanted.input
  const task = taskNamed(catalog, word)
  // The config's own task, not the value: another one may have taken its place there. Its input is not: the catalog may know it
  // only from a need that binds it.
  if (task) return makeTask(task.name, task['~task'].spec, task['~task'].location, bound)
  throw new Problem('usage', 'TASK_UNKNOWN', `there is no task '${word}'`, {
    hint: didYouMeanTask(catalog, word) ?? 'deployfile -T lists the tasks.',
  })
}

/** Everything that could come into the plan, whatever `when` says: inputs are routed before `when` can be asked. */
function closure(catalog: Catalog, requested: readonly AnyTask[]): readonly AnyTask[] {
  const found = new Map<string, AnyTask>()
  const stack = [...requested]
  for (let task = stack.pop(); task; task = stack.pop()) {
    if (found.has(task.name)) continue
    found.set(task.name, task)
    stack.push(...bringsIn(catalog, task).map((one) => one.task))
  }
  return [...found.values()]
}

/** Tasks on one command line run left to right: what only a later one brings in waits until the one before is over. */
function addCommandLineEdges(draft: Draft, requested: readonly AnyTask[]): void {
  const reason = { type: 'command line' } as const
  for (const [request, task] of requested.entries()) {
    const before = requested[request - 1]
    const previous = before && draft.instances.get(instanceKey(before.name, before['~task'].bound))
    if (!previous || previous.places.length === 0) continue
    if (previous.key === instanceKey(task.name, task['~task'].bound)) continue
    const over = joinOf(draft, 'over', previous, exitsOf(draft, previous), 'settled')
    for (const instance of draft.instances.values()) {
      if (instance.request !== request) continue
      for (const host of instance.places)
        addEdge(draft, over, nodeAt(draft, instance, host, 'entry'), reason, 'settled')
    }
  }
}
