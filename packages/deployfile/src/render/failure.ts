import type {
  CalledNode,
  CommandFailure,
  Failure,
  Plan,
  PlanNode,
  ProblemRecord,
  RunOutcome,
} from '@deployfile/core'
import { alike } from './alike.ts'
import { labelOf, onHosts, placesOf } from './node-label.ts'
import { problemPlace, shorten } from './problem.ts'
import { printable, type Style } from './style.ts'

export interface ReportView {
  readonly plan: Plan
  readonly style: Style
  readonly cwd: string
  readonly verbose: boolean
}

export interface FailureView extends ReportView {
  readonly outcome: RunOutcome
  /** What undo said while it took things back, by node. */
  readonly undoLogs: ReadonlyMap<string, readonly string[]>
  /** The signal that stopped the run. */
  readonly signal: string | undefined
  /** Where every event of the run is written down; undefined for a dry run, which writes nothing. */
  readonly log: string | undefined
  /** What to type to go on, or to undo. */
  readonly next?: readonly string[]
  /** It was about undoing an earlier run: what that never ran is no news. */
  readonly undoes?: boolean
}

/** Equal failures of one task on several hosts. */
interface Group {
  readonly label: string
  readonly phase: Failure['phase']
  readonly problem: ProblemRecord
  readonly hosts: string[]
}

/** The last thing on the screen of a run that did not end well: what failed where, what was undone, what to do. */
export function failureBlock(view: FailureView): string[] {
  const { outcome, style, log } = view
  const groups = groupFailures(view.plan, outcome.failures, outcome.called)
  const first = groups.filter((group) => group.phase === 'run')
  const later = groups.filter((group) => group.phase !== 'run')
  const stopped = view.signal === undefined ? [] : [style.red(`✘ stopped by ${view.signal}`), '']
  const blocks = first.flatMap((group) => [...groupLines(group, view), ''])
  const lines = [
    '',
    ...stopped,
    ...blocks,
    ...(log === undefined ? ['Nothing was changed: it was a dry run.'] : undoLines(view)),
    ...later.flatMap((group) => ['', ...groupLines(group, view)]),
  ]
  const missed = view.undoes === true ? [] : notRun(view)
  if (missed.length > 0) lines.push(`Not run: ${missed.join('; ')}`)
  if (outcome.status === 'cancelled' && view.signal === undefined) lines.push('The run was cancelled.')
  return log === undefined ? lines : [...lines, ...(view.next ?? []), style.dim(`Log: ${log}`)]
}

/** What went wrong in tasks that only warn: shown also after a run that ended well. */
export function warningBlock(
  warnings: readonly Failure[],
  view: ReportView,
  called?: readonly CalledNode[],
): string[] {
  const groups = groupFailures(view.plan, warnings, called)
  return groups.flatMap((group) => ['', ...groupLines(group, view, 'warned')])
}

function groupFailures(
  plan: Plan,
  failures: readonly Failure[],
  called: readonly CalledNode[] = [],
): Group[] {
  const planned = [...plan.nodes, ...(plan.onFailure?.nodes ?? [])]
  const nodes = new Map<string, PlanNode | CalledNode>([...planned, ...called].map((node) => [node.id, node]))
  const groups = new Map<string, Group>()
  for (const { node: id, phase, problem } of failures) {
    const node = nodes.get(id)
    // A failure of no node of the plan is shown too: nothing that failed is left out.
    const label = node ? labelOf(node) + calledBy(node, nodes) : id === 'journal' ? 'the log of the run' : id
    const key = JSON.stringify([phase, label, alike(plan, node, problem)])
    const group = groups.get(key) ?? { label, phase, problem, hosts: [] }
    groups.set(key, group)
    if (node?.host !== undefined) group.hosts.push(node.host)
  }
  return [...groups.values()]
}

/** `, which deploy called,` for what is in no plan. */
function calledBy(node: PlanNode | CalledNode, nodes: ReadonlyMap<string, PlanNode | CalledNode>): string {
  const caller = 'parent' in node ? nodes.get(node.parent) : undefined
  return caller ? `, which ${labelOf(caller)} called,` : ''
}

const VERBS = { run: 'failed', undo: 'could not be undone', finally: 'failed in finally' } as const

function groupLines(
  { label, phase, problem, hosts }: Group,
  view: ReportView,
  verb: string = VERBS[phase],
): string[] {
  const { style } = view
  const warns = verb === 'warned'
  const color = warns ? style.yellow : style.red
  const [first, ...same] = hosts
  const title = `${warns ? '!' : '✘'} ${label} ${verb}${first === undefined ? '' : ` on ${first}`}`
  const also = same.length === 0 ? '' : color(` (same${onHosts(same)})`)
  const lines = [color(style.bold(title)) + also]
  const { command } = problem
  // Of a command that failed, its own lines below say all that the message does.
  if (!command || problem.code !== 'COMMAND_FAILED') lines.push(...indented(problem.message))
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
    lines.push(...saidLines(command, style))
    if (command.mayHaveRun === true)
      lines.push('  The connection broke before the outcome was known: the command may have run.')
  }
  const thrownAt = command || problem.location ? undefined : projectLine(problem.stack, view.cwd)
  if (thrownAt !== undefined) lines.push(`  at ${style.cyan(thrownAt)}`)
  if (!command) lines.push(...problemPlace(problem, view))
  if (problem.hint !== undefined) lines.push(...indented(problem.hint))
  if (view.verbose && problem.stack !== undefined)
    lines.push(...problem.stack.split('\n').map((line) => style.dim(`  ${line}`)))
  return lines
}

/** The last that a command said. Where both streams spoke, `!` marks what was standard error. */
function saidLines({ tail, output = [] }: CommandFailure, style: Style): string[] {
  if (new Set(output.map(({ stream }) => stream)).size < 2)
    return tail.slice(-20).map((line) => `  ${style.dim('|')} ${printable(line)}`)
  return output.map(
    ({ stream, line }) => `  ${stream === 'stderr' ? style.red('!') : style.dim('|')} ${printable(line)}`,
  )
}

/** Where in the project's own files something was thrown. A line only: columns are the transpiler's. */
function projectLine(stack: string | undefined, cwd: string): string | undefined {
  for (const line of (stack ?? '').split('\n').slice(1)) {
    const [, file, row] = /\(?(?:file:\/\/)?(\/[^()\n]+?):(\d+):\d+\)?$/.exec(line) ?? []
    if (file === undefined || row === undefined || /\/node_modules\//.test(file)) continue
    const short = shorten(file, cwd)
    if (short !== file) return `${short}:${row}`
  }
  return undefined
}

function undoLines({ plan, outcome, undoLogs, style }: FailureView): string[] {
  const nodes = [...plan.nodes, ...(outcome.called ?? [])]
  const undone = nodes.filter((node) => outcome.nodes.get(node.id)?.undone === true)
  const said = undone.flatMap((node) =>
    (undoLogs.get(node.id) ?? []).map(
      (text) => `  ${node.host === undefined ? '' : `${node.host}: `}${printable(text)}`,
    ),
  )
  const stuck = nodes.filter((node) => outcome.nodes.get(node.id)?.undone === false)
  const lines: string[] = []
  if (outcome.left) return leftLines(plan, outcome)
  if (undone.length > 0) lines.push(`Undone: ${withHosts(undone).join('; ')}`, ...said)
  if (stuck.length > 0) lines.push(style.red(`Not undone: ${withHosts(stuck).join('; ')}`))
  if (undone.length + stuck.length === 0) lines.push('Nothing had to be undone.')
  return lines
}

function leftLines(plan: Plan, outcome: RunOutcome): string[] {
  const done = plan.nodes.filter(
    ({ id, kind, milestone }) => kind === 'task' && !milestone && outcome.nodes.get(id)?.status === 'done',
  )
  return done.length === 0
    ? ['Nothing was undone.']
    : [`Done, and left as it is: ${withHosts(done).join('; ')}`]
}

function withHosts(nodes: readonly PlanNode[]): string[] {
  return [...hostsByLabel(nodes)].map(([label, hosts]) => `${label}${onHosts(hosts)}`)
}

function hostsByLabel(nodes: readonly PlanNode[]): ReadonlyMap<string, readonly string[]> {
  const byLabel = new Map<string, string[]>()
  for (const node of nodes) {
    const hosts = byLabel.get(labelOf(node)) ?? []
    byLabel.set(labelOf(node), hosts)
    if (node.host !== undefined) hosts.push(node.host)
  }
  return byLabel
}

/** What was never entered; with its hosts where it was on others. */
function notRun({ plan, outcome }: FailureView): string[] {
  const places = placesOf(plan)
  const nodes = plan.nodes.filter(
    ({ id, kind, milestone }) => kind === 'task' && !milestone && outcome.nodes.get(id)?.status === 'blocked',
  )
  return [...hostsByLabel(nodes)].map(([label, hosts]) =>
    hosts.length === places.get(label)?.length ? label : `${label}${onHosts(hosts)}`,
  )
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `  ${printable(line)}`)
}
