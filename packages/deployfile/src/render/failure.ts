import type { Failure, Plan, PlanNode, ProblemRecord, RunOutcome } from '@deployfile/core'
import { labelOf, onHosts } from './node-label.ts'
import { problemPlace } from './problem.ts'
import { printable, type Style } from './style.ts'

export interface FailureView {
  readonly plan: Plan
  readonly outcome: RunOutcome
  /** What undo said while it took things back, by node. */
  readonly undoLogs: ReadonlyMap<string, readonly string[]>
  /** The signal that stopped the run. */
  readonly signal: string | undefined
  /** Where every event of the run is written down. */
  readonly log: string
  readonly style: Style
  readonly cwd: string
  readonly verbose: boolean
}

/** Equal failures of one task on several hosts. */
interface Group {
  readonly node: PlanNode
  readonly phase: Failure['phase']
  readonly problem: ProblemRecord
  readonly hosts: string[]
}

/** The last thing on the screen of a run that did not end well: what failed where, what was undone, what to do. */
export function failureBlock(view: FailureView): string[] {
  const { outcome, style, log } = view
  const groups = groupFailures(view)
  const first = groups.filter((group) => group.phase === 'run')
  const later = groups.filter((group) => group.phase !== 'run')
  const stopped = view.signal === undefined ? [] : [style.red(`✘ stopped by ${view.signal}`), '']
  const blocks = first.flatMap((group) => [...groupLines(group, view), ''])
  const lines = [
    '',
    ...stopped,
    ...blocks,
    ...undoLines(view),
    ...later.flatMap((group) => ['', ...groupLines(group, view)]),
  ]
  const missed = labels(view, (status) => status === 'blocked')
  if (missed.length > 0) lines.push(`Not run: ${missed.join(', ')}`)
  if (outcome.status === 'cancelled' && view.signal === undefined) lines.push('The run was cancelled.')
  return [...lines, style.dim(`Log: ${log}`)]
}

function groupFailures({ plan, outcome }: FailureView): Group[] {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]))
  const groups = new Map<string, Group>()
  for (const { node: id, phase, problem } of outcome.failures) {
    const node = nodes.get(id)
    if (!node) continue
    const { command } = problem
    // The host's name inside a message must not make two equal errors different.
    const neutral = (text: string): string =>
      node.host === undefined ? text : text.replaceAll(node.host, '%')
    const same = [
      phase,
      labelOf(node),
      problem.code,
      problem.message,
      command?.text,
      command?.exitCode,
      command?.signal,
      ...(command?.tail ?? []),
    ]
    const key = same.map((part) => neutral(String(part))).join('\n')
    const group = groups.get(key) ?? { node, phase, problem, hosts: [] }
    groups.set(key, group)
    if (node.host !== undefined) group.hosts.push(node.host)
  }
  return [...groups.values()]
}

function groupLines({ node, phase, problem, hosts }: Group, view: FailureView): string[] {
  const { style } = view
  const [first, ...same] = hosts
  const verb = phase === 'run' ? 'failed' : phase === 'undo' ? 'could not be undone' : 'failed in finally'
  const title = `✘ ${labelOf(node)} ${verb}${first === undefined ? '' : ` on ${first}`}`
  const also = same.length === 0 ? '' : style.red(` (same${onHosts(same)})`)
  const lines = [style.red(style.bold(title)) + also, ...indented(problem.message)]
  const { command } = problem
  if (command) {
    const how =
      command.signal === null
        ? command.exitCode === null
          ? 'no exit code'
          : `exit ${String(command.exitCode)}`
        : command.signal
    lines.push(
      ...command.text.split('\n').map((line) => `  ${style.yellow(`$ ${printable(line)}`)}`),
      `  ${how}`,
    )
    lines.push(...command.tail.slice(-20).map((line) => `  ${style.dim('|')} ${printable(line)}`))
    if (command.mayHaveRun === true)
      lines.push('  The connection broke before the outcome was known: the command may have run.')
  }
  if (!command && problem.location) lines.push(...problemPlace(problem, view))
  if (problem.hint !== undefined) lines.push(...indented(problem.hint))
  if (view.verbose && problem.stack !== undefined)
    lines.push(...problem.stack.split('\n').map((line) => style.dim(`  ${line}`)))
  return lines
}

function undoLines({ plan, outcome, undoLogs, style }: FailureView): string[] {
  const undone = plan.nodes.filter((node) => outcome.nodes.get(node.id)?.undone === true)
  const said = undone.flatMap((node) =>
    (undoLogs.get(node.id) ?? []).map(
      (text) => `  ${node.host === undefined ? '' : `${node.host}: `}${printable(text)}`,
    ),
  )
  const stuck = plan.nodes.filter((node) => outcome.nodes.get(node.id)?.undone === false)
  const lines: string[] = []
  if (undone.length > 0) lines.push(`Undone: ${withHosts(undone).join('; ')}`, ...said)
  if (stuck.length > 0) lines.push(style.red(`Not undone: ${withHosts(stuck).join('; ')}`))
  if (undone.length + stuck.length === 0) lines.push('Nothing had to be undone.')
  return lines
}

function withHosts(nodes: readonly PlanNode[]): string[] {
  const byLabel = new Map<string, string[]>()
  for (const node of nodes) {
    const hosts = byLabel.get(labelOf(node)) ?? []
    byLabel.set(labelOf(node), hosts)
    if (node.host !== undefined) hosts.push(node.host)
  }
  return [...byLabel].map(([label, hosts]) => `${label}${onHosts(hosts)}`)
}

function labels({ plan, outcome }: FailureView, wanted: (status: string) => boolean): string[] {
  const nodes = plan.nodes.filter(
    (node) => node.kind === 'task' && !node.milestone && wanted(outcome.nodes.get(node.id)?.status ?? ''),
  )
  return [...new Set(nodes.map((node) => labelOf(node)))]
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `  ${printable(line)}`)
}
