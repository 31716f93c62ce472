import { didYouMeanTask, taskNamed } from '../config/aliases.ts'
import type { Catalog, StageEntry } from '../config/catalog.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import { makeTask, type AnyTask } from '../task/task.ts'
import { addEdge, exitsOf, joinOf, nodeAt, startDraft, type Draft } from './draft.ts'
import { addHookEdges } from './hook-edges.ts'
import { parseInput, routeInputs, type RoutedInputs } from './inputs.ts'
import { bringsIn, isLive, makeInstance, stageOf, type Instance, type InstanceRequest } from './instance.ts'
import { addNeedEdges } from './need-edges.ts'
import { instanceKey } from './node-id.ts'
import { addNodes } from './nodes.ts'
import { inOrder } from './order.ts'
import type { Plan } from './plan.ts'

/** What a command line or a program asks for; inputs are still text, checked against the schemas of the tasks that take them. */
export interface PlanRequest {
  /** The positional stage or `stage=`; default the config's `defaultStage`. */
  readonly stage?: string | undefined
  /** Names or task values; a value is looked up by its name, and brings the input that `.with` gave it. */
  readonly tasks: readonly (string | AnyTask)[]
  /** `key=value` and `task.key=value`, in order. */
  readonly inputs?: Readonly<Record<string, string>>
}

/**
 * Makes the plan: requested tasks, what they need, and hooks. Pure; nothing is connected.
 * @throws Problem (usage) for unknown names, cycles, inputs that do not fit, and tasks that are left without a host
 */
export function resolvePlan(catalog: Catalog, request: PlanRequest): Plan {
  const stage = findStage(catalog, request.stage)
  const requested = request.tasks.map((wanted) => findTask(catalog, wanted))
  const candidates = closure(catalog, requested)
  const inputs = routeInputs(request.inputs ?? {}, requested, candidates, catalog)
  const draft = startDraft(collectInstances(catalog, requested, stage, inputs))
  const instances = [...draft.instances.values()]
  for (const instance of instances) addNodes(draft, catalog, instance)
  for (const instance of instances) addNeedEdges(draft, instance)
  for (const instance of instances) addHookEdges(draft, catalog, instance)
  addCommandLineEdges(draft, requested)
  const nodes = inOrder([...draft.nodes.values()], draft.edges)
  const names = requested.map(({ name }) => name)
  return { stage: stage.stage.name, requested: names, nodes, edges: draft.edges, notes: draft.notes }
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

function findTask(catalog: Catalog, wanted: string | AnyTask): AnyTask {
  const word = typeof wanted === 'string' ? wanted : wanted.name
  const bound = typeof wanted === 'string' ? undefined : wanted['~task'].bound
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

/** What is really planned, in the order in which it came in. A stack, not recursion: chains may be thousands deep. */
function collectInstances(
  catalog: Catalog,
  requested: readonly AnyTask[],
  stage: StageEntry,
  inputs: RoutedInputs,
): ReadonlyMap<string, Instance> {
  const instances = new Map<string, Instance>()
  for (const [request, task] of requested.entries()) {
    const stack: InstanceRequest[] = [{ task, request, hookOf: undefined }]
    for (let wanted = stack.pop(); wanted; wanted = stack.pop()) {
      const key = instanceKey(wanted.task.name, wanted.task['~task'].bound)
      const known = instances.get(key)
      // Needed as well as hooked: then it may not be dropped for want of a host.
      if (known && (known.hookOf === undefined || wanted.hookOf !== undefined)) continue
      const input = parseInput(wanted.task, inputs.get(wanted.task.name))
      const instance = makeInstance(wanted, stageOf(catalog, wanted.task['~task'].spec, stage), input)
      instances.set(key, known ? { ...instance, request: known.request } : instance)
      if (known || !isLive(instance)) continue
      const { name } = wanted.task
      const next = bringsIn(catalog, wanted.task).map((one) => ({
        task: one.task,
        request,
        hookOf: one.hook ? name : undefined,
      }))
      stack.push(...next.reverse())
    }
  }
  return instances
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
