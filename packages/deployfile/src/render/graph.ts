import type { EdgeReason, Plan, PlanNode } from '@deployfile/core'
import type { GraphFormat } from '../cli/command-line.ts'
import { labelOf } from './node-label.ts'

/** A plan as a graph: a node a task, with its hosts; an arrow for each reason to wait. */
interface Graph {
  readonly stage: string
  readonly nodes: readonly { readonly id: string; readonly task: string; readonly hosts: readonly string[] }[]
  readonly edges: readonly { readonly from: string; readonly to: string; readonly reason: string }[]
}

/** For Mermaid (GitHub, GitLab), for Graphviz, or as data. */
export function graphText(plan: Plan, format: GraphFormat): string {
  const graph = graphOf(plan)
  if (format === 'json') return JSON.stringify(graph, null, 2)
  return (format === 'dot' ? dotLines(graph) : mermaidLines(graph)).join('\n')
}

function graphOf(plan: Plan): Graph {
  const labels = new Map<string, { task: string; hosts: string[] }>()
  const byId = new Map(plan.nodes.map((node) => [node.id, node]))
  const owner = (id: string): string => labelOfOwner(byId.get(id))
  for (const node of plan.nodes) {
    if (node.kind !== 'task') continue
    const known = labels.get(labelOf(node)) ?? { task: node.task, hosts: [] }
    labels.set(labelOf(node), known)
    if (node.host !== undefined) known.hosts.push(node.host)
  }
  const edges = new Map<string, Graph['edges'][number]>()
  for (const { from, to, reason } of plan.edges) {
    // From a task's start to its hooks and from these to its end: inside of what is drawn as one.
    if (byId.get(from)?.kind === 'start' || byId.get(to)?.kind === 'end') continue
    // What stands around a task, and gathers its hosts, is drawn as the task.
    const edge = { from: owner(from), to: owner(to), reason: reasonText(reason) }
    const isDrawn = edge.from !== edge.to && labels.has(edge.from) && labels.has(edge.to)
    if (isDrawn) edges.set(JSON.stringify(edge), edge)
  }
  return {
    stage: plan.stage,
    nodes: [...labels].map(([id, { task, hosts }]) => ({ id, task, hosts })),
    edges: [...edges.values()],
  }
}

function labelOfOwner(node: PlanNode | undefined): string {
  if (!node) return ''
  if (node.kind === 'task') return labelOf(node)
  // `all(name{input})` gathers hosts; what stands around a task with hooks is `name{input}@stage/host` and more.
  return /^[^(]*\((.*)\)$/.exec(node.id)?.[1] ?? node.task
}

function reasonText(reason: EdgeReason): string {
  if (reason.type === 'need') return 'need'
  if (reason.type === 'before' || reason.type === 'after') return `${reason.type} ${reason.of}`
  return reason.type
}

function mermaidLines({ nodes, edges }: Graph): string[] {
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${String(index + 1)}`]))
  const text = (value: string): string => value.replaceAll('"', '#quot;')
  return [
    'flowchart TD',
    ...nodes.map(({ id, hosts }) => `  ${ids.get(id) ?? ''}["${text(id + hostText(hosts, '<br/>'))}"]`),
    ...edges.map(({ from, to, reason }) => {
      const label = reason === 'need' ? '' : `|"${text(reason)}"|`
      return `  ${ids.get(from) ?? ''} -->${label} ${ids.get(to) ?? ''}`
    }),
  ]
}

function dotLines({ stage, nodes, edges }: Graph): string[] {
  const quoted = (value: string): string => `"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
  return [
    `digraph ${quoted(stage)} {`,
    '  node [shape=box]',
    ...nodes.map(({ id, hosts }) => `  ${quoted(id)} [label=${quoted(id + hostText(hosts, '\n'))}]`),
    ...edges.map(({ from, to, reason }) => {
      const label = reason === 'need' ? '' : ` [label=${quoted(reason)}]`
      return `  ${quoted(from)} -> ${quoted(to)}${label}`
    }),
    '}',
  ]
}

function hostText(hosts: readonly string[], between: string): string {
  if (hosts.length === 0) return ''
  return between + (hosts.length <= 4 ? hosts.join(', ') : `${String(hosts.length)} hosts`)
}
