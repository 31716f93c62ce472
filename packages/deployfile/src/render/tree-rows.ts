import type { CommandEvent, NodeStatus, Plan, PlanNode, RunEvent } from '@deployfile/core'
import { labelOf } from './node-label.ts'
import { retryText } from './retry-text.ts'
import { printable } from './style.ts'
import { progressKey, progressText } from './progress-text.ts'
import { sinceStart, transferText, type TransferStart } from './transfer-text.ts'

export type RowState = 'waiting' | 'running' | 'undoing' | 'undone' | 'stuck' | NodeStatus

/** One task with all its hosts. */
export interface Row {
  readonly label: string
  /** The command line names it: then what it says is what was asked for. */
  readonly requested: boolean
  /** It runs only after a failure. */
  readonly onFailure: boolean
  readonly hosts: readonly string[]
  /** What its body and its `finally` said with `log`, in order. */
  readonly said: string[]
  /** Node ids that have started, or ended without that. */
  readonly begun: Set<string>
  readonly ended: Map<string, NodeStatus>
  readonly undoing: Set<string>
  readonly undone: Map<string, boolean>
  /** Commands under way that only read. */
  readonly reading: Set<number>
  /** When something that is on its way was first told of: a file by host and path, or a part of a node's work. */
  readonly transfers: Map<string, TransferStart>
  startedAt: number | undefined
  endedAt: number | undefined
  /** The last line of output, and where it came from. */
  last: string
  reason: string
}

export interface Rows {
  /** In plan order, tasks of `onFailure` last. */
  readonly list: readonly Row[]
  /** Without those of `onFailure` as long as nothing makes them run. */
  shown(): readonly Row[]
  apply(event: RunEvent): void
}

/** The rows of a plan: tasks with a body, in plan order. Milestones are an order, not work, so they have none. */
export function treeRows(plan: Plan): Rows {
  const byNode = new Map<string, Row>()
  const byLabel = new Map<string, Row & { readonly hosts: string[] }>()
  const add = (node: PlanNode, onFailure: boolean): void => {
    if (node.kind !== 'task' || node.milestone) return
    const label = labelOf(node)
    const row = byLabel.get(label) ?? newRow(label, plan.requested.includes(node.task), onFailure)
    byLabel.set(label, row)
    byNode.set(node.id, row)
    row.hosts.push(node.host ?? '')
  }
  const { nodes: after = [] } = plan.onFailure ?? {}
  for (const node of plan.nodes) add(node, false)
  for (const node of after) add(node, true)
  const hostOf = new Map([...plan.nodes, ...after].map((node) => [node.id, node.host]))
  /** What tasks call is folded into their rows; by its id, with its name. */
  const called = new Map<string, string>()
  const list = [...byLabel.values()]
  return {
    list,
    shown: () => list.filter(({ onFailure, begun, ended }) => !onFailure || begun.size + ended.size > 0),
    apply(event) {
      // What an earlier process has done is over from the first frame on.
      if (event.type === 'run.resumed') for (const id of event.kept) byNode.get(id)?.ended.set(id, 'done')
      const row = 'node' in event ? byNode.get(event.node) : undefined
      if (!row || !('node' in event)) return
      if (event.type === 'node.calling') {
        for (const node of event.plan.nodes) {
          byNode.set(node.id, row)
          hostOf.set(node.id, node.host)
          called.set(node.id, `${labelOf(node)}: `)
        }
      } else if (!called.has(event.node)) applyToRow(row, event, hostOf.get(event.node))
      else if (!ofItsOwn(event)) applyToRow(row, event, hostOf.get(event.node), called.get(event.node))
    },
  }
}

function newRow(label: string, requested: boolean, onFailure: boolean): Row & { readonly hosts: string[] } {
  const empty = { begun: new Set<string>(), ended: new Map<string, NodeStatus>() }
  const back = {
    undoing: new Set<string>(),
    undone: new Map<string, boolean>(),
    reading: new Set<number>(),
    transfers: new Map<string, TransferStart>(),
  }
  return {
    label,
    requested,
    onFailure,
    hosts: [],
    said: [],
    ...empty,
    ...back,
    startedAt: undefined,
    endedAt: undefined,
    last: '',
    reason: '',
  }
}

/** The start and the end of a called task say nothing of its caller's row; that it is undone does. */
function ofItsOwn(event: Extract<RunEvent, { node: string }>): boolean {
  return (event.type === 'node.started' || event.type === 'node.ended') && event.phase === 'run'
}

function applyToRow(
  row: Row,
  event: Extract<RunEvent, { node: string }>,
  host: string | undefined,
  label = '',
): void {
  const place = (host === undefined || row.hosts.length === 1 ? '' : `${host}: `) + label
  switch (event.type) {
    case 'node.started':
      if (event.phase === 'run') row.begun.add(event.node)
      if (event.phase === 'undo' && row.undoing.size === 0) row.startedAt = event.at
      if (event.phase === 'undo') row.undoing.add(event.node)
      row.startedAt ??= event.at
      row.last = ''
      return
    case 'node.log':
      row.last = place + printable(event.message)
      // What undo says stands in the failure block.
      if (event.phase !== 'undo') row.said.push(row.last)
      return
    case 'node.progress':
      row.last =
        place +
        printable(progressText(event, sinceStart(row.transfers, progressKey(event), event.done, event.at)))
      return
    case 'node.retrying':
      row.last = `${place}${retryText(event)}`
      return
    case 'node.command':
      applyCommand(row, event.event, place, event.at)
      return
    // What is called is in the rows already, by its events.
    case 'node.calling':
    case 'node.reused':
      return
    case 'node.ended':
      if (event.phase === 'run') row.ended.set(event.node, event.status)
      if (event.phase === 'undo') row.undone.set(event.node, event.status === 'done')
      if (event.phase !== 'finally') row.endedAt = event.at
      if (event.reason !== undefined) row.reason = printable(event.reason)
  }
}

function applyCommand(row: Row, event: CommandEvent, place: string, at: number): void {
  if (event.type === 'command.skipped') {
    row.last = `${place}would: ${printable(event.text.split('\n', 1)[0] ?? '')}`
    row.said.push(row.last)
  }
  if (event.type === 'transfer')
    row.last = `${place}${event.path} ${transferText(event, sinceStart(row.transfers, `${event.host} ${event.path}`, event.bytes, at))}`
  if (event.type === 'command.started') {
    // What a task reads for itself is not what a person waits for.
    if (event.reads) row.reading.add(event.command)
    else row.last = place + printable(event.text.split('\n', 1)[0] ?? '')
  }
  if (event.type === 'command.output' && !row.reading.has(event.command))
    row.last = place + printable(event.line)
  if (event.type === 'command.ended') row.reading.delete(event.command)
}

/** What a row is as a whole: the worst of its hosts once all are over. */
export function stateOf(row: Row): RowState {
  if (row.undone.size < row.undoing.size) return 'undoing'
  if (row.undone.size > 0) return [...row.undone.values()].every(Boolean) ? 'undone' : 'stuck'
  if (row.ended.size < row.hosts.length) return row.begun.size > 0 ? 'running' : 'waiting'
  const statuses = [...row.ended.values()]
  const order: readonly NodeStatus[] = ['failed', 'cancelled', 'warned', 'blocked', 'done', 'skipped']
  return order.find((status) => statuses.includes(status)) ?? 'done'
}

export function isActive(state: RowState): boolean {
  return state === 'running' || state === 'undoing'
}

/**
 * What stays on the screen of all that was said: everything of a task that was asked for (`db:backup:list` says nothing else), and
 * the one host's words of any other; a hundred hosts that each say they have restarted are in the log.
 */
export function saidLines(rows: readonly Row[]): readonly SaidLine[] {
  return rows.flatMap(({ label, requested, hosts, said }): SaidLine[] => {
    if (!requested && hosts.length !== 1) return []
    return said.map((text) => ({ text: requested ? text : `${label}: ${text}`, asked: requested }))
  })
}

export interface SaidLine {
  readonly text: string
  /** Of a task that the command line names. */
  readonly asked: boolean
}
