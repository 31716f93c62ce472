import { didYouMeanTask, taskNamed } from '../config/aliases.ts'
import type { Catalog, StageEntry } from '../config/catalog.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import { checkInputData } from '../task/input-data.ts'
import { isTask, makeTask, type AnyTask } from '../task/task.ts'
import { closure } from './brings-in.ts'
import { collectInstances } from './collect.ts'
import { addCommandLineEdges } from './command-line-edges.ts'
import { startDraft, type Draft } from './draft.ts'
import { addHookEdges } from './hook-edges.ts'
import { checkApart } from './failure-set.ts'
import { checkRequested, filterNotes, isSkipped, readFilter, type Filter } from './filter.ts'
import { routeInputs, type RoutedInputs } from './inputs.ts'
import { addNeedEdges } from './need-edges.ts'
import { instanceKey } from './node-id.ts'
import { addNodes, noteNowhere, type Instances } from './nodes.ts'
import { finished } from './order.ts'
import type { Plan } from './plan.ts'
import { hostsOf } from './plan-hosts.ts'
import { sourceOf, type PlanRequest } from './request.ts'
import type { RequestedTask } from './source.ts'
import { addRollingEdges } from './rolling-edges.ts'
import { addTolerances } from './tolerance.ts'

/**
 * Makes the plan: requested tasks, what they need, and hooks. Pure; nothing is connected.
 * @throws Problem (usage) for unknown names, cycles, inputs that do not fit, and tasks that are left without a host
 */
export function resolvePlan(catalog: Catalog, request: PlanRequest): Plan {
  const stage = findStage(catalog, request.stage)
  const requested = request.tasks.map((wanted) => findTask(catalog, wanted))
  const filter = readFilter(catalog, stage, request)
  checkRequested(filter, requested)
  const inputs = inputsFor(catalog, requested, request.inputs)
  const keys = requested.map(({ name, '~task': { bound } }) => instanceKey(name, bound))
  const draft = draftOf(catalog, collectInstances(catalog, requested, stage, inputs, filter), keys)
  addCommandLineEdges(draft, requested)
  const failure = failureDraft(catalog, stage, filter, draft)
  const onFailure = failure && finished(failure.nodes, catalog)
  const { nodes, edges } = finished(draft.nodes, catalog)
  const drafts = failure ? [draft, failure] : [draft]
  return {
    stage: stage.stage.name,
    from: sourceOf(stage.stage.name, requested, request),
    requested: requested.map(({ name }) => name),
    nodes,
    edges,
    perHost: Object.fromEntries(drafts.flatMap(({ perHost }) => [...perHost])),
    hosts: hostsOf(drafts),
    notes: [...filterNotes(filter), ...drafts.flatMap(({ notes }) => notes)],
    ...(onFailure && { onFailure }),
  }
}

function inputsFor(
  catalog: Catalog,
  requested: readonly AnyTask[],
  inputs: Readonly<Record<string, string>> = {},
): RoutedInputs {
  // Inputs are routed before `when` can be asked, so among all that could come into the plan.
  if (Object.keys(inputs).length === 0) return new Map()
  return routeInputs(inputs, requested, closure(catalog, requested), catalog)
}

function draftOf(catalog: Catalog, instances: Instances, requested: readonly string[]): Draft {
  const draft = startDraft()
  for (const instance of instances.values()) {
    addNodes(draft, catalog, instances, instance)
    noteNowhere(draft, instance)
  }
  const placed = [...draft.placed.values()]
  for (const one of placed) addNeedEdges(draft, one)
  for (const one of placed) addHookEdges(draft, catalog, instances, one)
  for (const one of placed) addRollingEdges(draft, one)
  addTolerances(draft, catalog, instances, requested)
  return draft
}

/** What the config wants done when this run fails; a task of it that was asked for itself is not done again. */
function failureDraft(catalog: Catalog, stage: StageEntry, filter: Filter, main: Draft): Draft | undefined {
  const wanted = catalog.onFailure
    .map((task) => findTask(catalog, task))
    .filter(
      (task) => !main.placed.has(instanceKey(task.name, task['~task'].bound)) && !isSkipped(filter, task),
    )
  if (wanted.length === 0) return undefined
  const draft = draftOf(catalog, collectInstances(catalog, wanted, stage, new Map(), filter, 'onFailure'), [])
  checkApart(main, draft)
  return draft
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
  const task = taskNamed(catalog, word)
  if (typeof wanted === 'object' && !isTask(wanted)) checkInputData(word, wanted.input, undefined)
  const bound = typeof wanted === 'string' ? undefined : isTask(wanted) ? wanted['~task'].bound : wanted.input
  // The config's own task, not the value: another one may have taken its place there. Its input is not: the catalog may know it
  // only from a need that binds it.
  if (task) return makeTask(task.name, task['~task'].spec, task['~task'].location, bound)
  throw new Problem('usage', 'TASK_UNKNOWN', `there is no task '${word}'`, {
    hint: didYouMeanTask(catalog, word) ?? 'deployfile -T lists the tasks.',
  })
}
