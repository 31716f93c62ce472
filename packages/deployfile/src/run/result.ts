import {
  instanceKey,
  normalizeOn,
  perHost,
  Problem,
  type AnyTask,
  type Catalog,
  type NodeOutcome,
  type Plan,
  type PlanNode,
  type RunOutcome,
  type View,
} from '@deployfile/core'

/**
 * A task's result as a task without `on` would see it: `PerHost` for one that ran on several hosts.
 * @throws Problem `RESULT_MISSING` (usage) when the task was not planned, or did not end well on every place where it was: look at
 * `status` first, or at `nodes` for what there is
 */
export interface ReadResult {
  <T extends AnyTask>(task: T): View<T, undefined>
  (task: string): unknown
}

/** How a run ended, with its results by task. Failures are values: only `result` of what has none throws. */
export interface RunResult extends RunOutcome {
  /** The run's id, and the name of its folder in `.deployfile/runs`. */
  readonly id: string
  readonly plan: Plan
  /** The file that holds every event, one JSON object a line. */
  readonly log: string
  readonly result: ReadResult
}

/** Reads results by task value or name, also of input that was given by `.with`. */
export function readResults(plan: Plan, outcome: RunOutcome, catalog: Catalog): ReadResult {
  return ((wanted: AnyTask | string) => resultOf(plan, outcome, catalog, wanted)) as ReadResult
}

function resultOf(plan: Plan, outcome: RunOutcome, catalog: Catalog, wanted: AnyTask | string): unknown {
  const name = typeof wanted === 'string' ? (catalog.aliases.get(wanted) ?? wanted) : wanted.name
  const key = instanceKey(name, typeof wanted === 'string' ? undefined : wanted['~task'].bound)
  const nodes = plan.nodes.filter((node) => node.kind === 'task' && node.task === name && keyOf(node) === key)
  if (nodes.length === 0) throw notPlanned(plan, name, key)
  const values = nodes.map((node) => ({ node, value: valueOf(node, outcome.nodes.get(node.id)) }))
  const task = catalog.tasks.get(name)
  if (!task || !isPerHost(task)) return values[0]?.value
  return perHost(
    values.flatMap(({ node, value }) => {
      const host = catalog.stages.get(node.stage)?.hosts.find((one) => one.name === node.host)
      return host ? [{ host, value }] : []
    }),
  )
}

/** A node's id without its place. */
function keyOf(node: PlanNode): string {
  return node.host === undefined ? node.id : node.id.slice(0, -`@${node.stage}/${node.host}`.length)
}

function isPerHost({ '~task': { spec } }: AnyTask): boolean {
  return spec.on !== undefined && normalizeOn(spec.on).pick !== 'primary'
}

function valueOf(node: PlanNode, outcome: NodeOutcome | undefined): unknown {
  const status = outcome?.status
  if (status === 'done' || status === 'skipped' || status === 'warned') return outcome?.result
  throw new Problem(
    'usage',
    'RESULT_MISSING',
    `'${node.id}' has no result: it ended as '${String(status)}'`,
    {
      hint: "Ask for results when the outcome's status is 'done'; outcome.failures says what went wrong.",
    },
  )
}

function notPlanned(plan: Plan, name: string, key: string): Problem {
  const others = plan.nodes.flatMap((node) =>
    node.kind === 'task' && node.task === name ? [keyOf(node)] : [],
  )
  const known = [...new Set(others.length > 0 ? others : plan.requested)]
  return new Problem('usage', 'RESULT_MISSING', `'${key}' was not part of this run`, {
    hint: `${others.length > 0 ? 'The run had' : 'The run was asked for'}: ${known.join(', ')}.`,
  })
}
