import type { Plan, PlanEdge, PlanNode } from '../plan.ts'

/** A plan by tasks and places, for comparing it with another. */
export interface Outline {
  /** By `name{input}`, then by place (`stage/host`, or this machine). */
  readonly tasks: ReadonlyMap<string, ReadonlyMap<string, PlanNode>>
  /** Tasks that run only when the run has failed. */
  readonly onFailure: ReadonlySet<string>
  readonly nodes: ReadonlyMap<string, PlanNode>
  readonly edges: readonly PlanEdge[]
}

export function outlineOf(plan: Plan): Outline {
  const tasks = new Map<string, Map<string, PlanNode>>()
  const nodes = new Map<string, PlanNode>()
  const late = plan.onFailure?.nodes ?? []
  for (const node of [...plan.nodes, ...late]) {
    nodes.set(node.id, node)
    if (node.kind !== 'task') continue
    const key = keyOf(node)
    const places = tasks.get(key)
    if (places) places.set(placeOf(node), node)
    else tasks.set(key, new Map([[placeOf(node), node]]))
  }
  const onFailure = new Set(late.flatMap((node) => (node.kind === 'task' ? [keyOf(node)] : [])))
  return { tasks, onFailure, nodes, edges: [...plan.edges, ...(plan.onFailure?.edges ?? [])] }
}

/** `name{input}` of the task that a node is part of. */
export function keyOf({ id, kind, stage, host }: PlanNode): string {
  // A join is `all(name{input})`: what it gathers stands in brackets.
  if (kind === 'join') return id.slice(id.indexOf('(') + 1, -1)
  const end = host === undefined ? id.length : id.length - `@${stage}/${host}`.length
  return id.slice(0, kind === 'task' ? end : end - `.${kind}`.length)
}

/** Where a node runs, for people. */
export function placeOf({ stage, host }: PlanNode): string {
  return host === undefined ? 'this machine' : `${stage}/${host}`
}

/** A value in a sentence: JSON, not too much of it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'none'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** A record's own value: keys are names that people choose, `constructor` among them. */
export function own<V>(record: Readonly<Record<string, V>>, key: string): V | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
