import type { Plan, PlanNode, RunEvent } from '@deployfile/core'
import { waitsOf } from '../cli/plan-waits.ts'
import { count, duration } from './duration.ts'
import { labelOf, onHosts } from './node-label.ts'
import type { Style } from './style.ts'

/** A run that is shorter is told whole by its own lines. Milliseconds. */
const WORTH_IT = 5000
const SLOWEST = 5

/** One task with all its hosts, as it ended. */
export interface EndedRow {
  readonly label: string
  readonly hosts: readonly string[]
  /** `done`, or `2 done` and `1 failed`. */
  readonly statuses: readonly string[]
  /** Of the slowest host. */
  readonly durationMs: number
}

interface Ended {
  readonly status: string
  readonly startedAt: number
  readonly endedAt: number
}

export interface EndedRows {
  event(event: RunEvent): void
  list(): readonly EndedRow[]
  /** By node id. */
  readonly ended: ReadonlyMap<string, Ended>
}

/** How each task of a plan ended, from the events of its run. */
export function endedRows(plan: Plan): EndedRows {
  const ended = new Map<string, Ended>()
  return {
    ended,
    event(event) {
      if (event.type !== 'node.ended' || event.phase !== 'run') return
      const { status, at, durationMs } = event
      ended.set(event.node, { status, startedAt: at - durationMs, endedAt: at })
    },
    list() {
      const rows = new Map<string, PlanNode[]>()
      for (const node of plan.nodes) {
        if (node.kind !== 'task' || node.milestone || !ended.has(node.id)) continue
        rows.set(labelOf(node), [...(rows.get(labelOf(node)) ?? []), node])
      }
      return [...rows].map(([label, nodes]) => rowOf(label, nodes, ended))
    },
  }
}

function rowOf(label: string, nodes: readonly PlanNode[], ended: ReadonlyMap<string, Ended>): EndedRow {
  const all = nodes.flatMap(({ id }) => ended.get(id) ?? [])
  const counts = new Map<string, number>()
  for (const { status } of all) counts.set(status, (counts.get(status) ?? 0) + 1)
  return {
    label,
    hosts: nodes.flatMap(({ host }) => host ?? []),
    statuses: [...counts].map(([status, number]) =>
      counts.size === 1 ? status : `${String(number)} ${status}`,
    ),
    durationMs: Math.max(0, ...all.map(({ startedAt, endedAt }) => endedAt - startedAt)),
  }
}

/** Totals, the slowest tasks, and the way through the plan that took the longest; nothing for a short run. */
export function summaryLines(plan: Plan, rows: EndedRows, durationMs: number, style: Style): string[] {
  const list = rows.list()
  if (durationMs < WORTH_IT || list.length < 2) return []
  const counts = new Map<string, number>()
  for (const node of plan.nodes) {
    const status = node.kind === 'task' && !node.milestone ? rows.ended.get(node.id)?.status : undefined
    if (status !== undefined) counts.set(status, (counts.get(status) ?? 0) + 1)
  }
  const hosts = new Set(plan.nodes.flatMap(({ host }) => host ?? []))
  const where = hosts.size === 0 ? '' : ` on ${count(hosts.size, 'host')}`
  const slowest = [...list].sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST)
  const way = longestWay(plan, rows.ended)
  const onWay = way.reduce((sum, { id }) => sum + timeOf(rows.ended.get(id)), 0)
  return [
    `${count(list.length, 'task')}${where}${totals(counts, list.length)}`,
    `Slowest: ${slowest.map(({ label, durationMs: time }) => `${label} ${duration(time)}`).join(', ')}`,
    `Longest way: ${way.map((node) => labelOf(node) + onHosts(node.host === undefined ? [] : [node.host])).join(' → ')} (${duration(onWay)})`,
  ].map((line) => style.dim(line))
}

/** A task on three hosts counts three times, which is said where the numbers would not add up to that of the tasks. */
function totals(counts: ReadonlyMap<string, number>, tasks: number): string {
  const [status = '', ...others] = counts.keys()
  if (others.length === 0) return `: all ${status}`
  const all = [...counts.values()].reduce((sum, number) => sum + number, 0)
  const each = [...counts].map(([name, number]) => `${String(number)} ${name}`).join(', ')
  return all === tasks ? `: ${each}` : `; counted on each host: ${each}`
}

function timeOf(ended: Ended | undefined): number {
  return ended ? ended.endedAt - ended.startedAt : 0
}

/** From what ended last back to the start: each time what was waited for the longest. Only what took any time is named. */
function longestWay(plan: Plan, ended: ReadonlyMap<string, Ended>): readonly PlanNode[] {
  const waits = waitsOf(plan)
  const endOf = ({ id }: PlanNode): number => ended.get(id)?.endedAt ?? 0
  const latest = (nodes: readonly PlanNode[]): PlanNode | undefined =>
    nodes.reduce<PlanNode | undefined>(
      (last, node) => (last && endOf(last) >= endOf(node) ? last : node),
      undefined,
    )
  const way: PlanNode[] = []
  for (
    let node = latest(plan.nodes.filter(({ kind }) => kind === 'task'));
    node;
    node = latest(waits.get(node.id) ?? [])
  ) {
    if (timeOf(ended.get(node.id)) >= 100) way.unshift(node)
  }
  return way
}
