import type { Plan, PlanNode } from '@deployfile/core'
import { count } from '../render/duration.ts'
import { labelOf, placesOf } from '../render/node-label.ts'
import type { Style } from '../render/style.ts'
import { cut, wrapped } from '../render/width.ts'
import { waitsOf, waitText } from './plan-waits.ts'

/** Task × host: in each cell the wave in which it runs; beside it what it waits for, and why it is in the plan. */
interface PlanRow {
  readonly label: string
  readonly nodes: readonly PlanNode[]
  readonly after: string
  /** `after` says why. */
  readonly skipped: boolean
  readonly why: string
}

// In brackets, because a host may be called anything else.
const HERE = '(here)'
const LEGEND = 'A number is the wave in which it runs there: what has the same may run at the same time.'
const BELOW = ' '.repeat(4)

/** More columns of hosts than these say less than their number. */
const MOST_HOSTS = 8

/** The plan for people: a line a task, a column a host. Hooks' and joins' inner nodes are looked through. */
export function planLines(plan: Plan, style: Style, columns?: number): string[] {
  const nodes = plan.nodes.filter((node) => node.kind === 'task')
  const waits = waitsOf(plan)
  const waves = wavesOf(nodes, waits)
  const rows = rowsOf(plan, nodes, waits)
  const hosts = [...new Set(nodes.flatMap((node) => node.host ?? []))]
  const where = hosts.length === 0 ? 'on this machine' : `on ${count(hosts.length, 'host')}`
  const last = Math.max(0, ...waves.values())
  const title = `${plan.stage}: ${plan.requested.join(' ')}`
  const facts = `${count(nodes.length, 'step')} ${where} in ${count(last, 'wave')}; nothing was run`
  const hasHere = nodes.some((node) => node.host === undefined)
  const places = [...(hasHere ? [HERE] : []), ...hosts]
  const [head = '', ...lines] = layOut(rows, hosts.length > MOST_HOSTS ? undefined : places, waves, columns)
  return [
    ...(columns === undefined || title.length + 2 + facts.length <= columns
      ? [`${style.bold(title)}  ${facts}`]
      : [
          ...wrapped(title, columns, '', '  ').map((line) => style.bold(line)),
          ...wrapped(facts, columns, '  '),
        ]),
    '',
    style.dim(head),
    ...lines,
    '',
    ...wrapped(LEGEND, columns).map((line) => style.dim(line)),
    ...plan.notes.map(
      (note) => `${style.yellow('note:')} ${wrapped(note, columns, ' '.repeat(6)).join('\n').trimStart()}`,
    ),
  ]
}

/** One table where the screen is wide enough; else what a task waits for, and why it is there, stand below its line. */
function layOut(
  rows: readonly PlanRow[],
  places: readonly string[] | undefined,
  waves: ReadonlyMap<string, number>,
  columns = Number.POSITIVE_INFINITY,
): readonly string[] {
  const heads = ['task', ...(places ?? ['where', 'wave'])]
  const cells = rows.map((row) => [row.label, ...cellsOf(row, places, waves)])
  const beside = [
    [...heads, 'waits for', 'because'],
    ...cells.map((line, index) => [...line, rows[index]?.after ?? '', rows[index]?.why ?? '']),
  ]
  if (widthOf(beside) <= columns) return tableLines(beside)
  if (places && widthOf([heads, ...cells]) > columns) return layOut(rows, undefined, waves, columns)
  const [head = '', ...lines] = tableLines([heads, ...cells])
  const below = ({ after, why, skipped }: PlanRow): readonly string[] => {
    const words = [
      ...(after === '' ? [] : [skipped ? after : `waits for ${after}`]),
      ...(why === '' ? [] : [/^(before|after) /.test(why) ? `runs ${why}` : why]),
    ]
    return words.length === 0 ? [] : wrapped(words.join('; '), columns, BELOW)
  }
  return [
    cut(head, columns),
    ...lines.flatMap((line, index) => {
      const row = rows[index]
      return [cut(line, columns), ...(row ? below(row) : [])]
    }),
  ]
}

/** The longest way from the start to each node, in tasks: what is skipped takes none. */
function wavesOf(
  nodes: readonly PlanNode[],
  waits: ReadonlyMap<string, readonly PlanNode[]>,
): ReadonlyMap<string, number> {
  const waves = new Map<string, number>()
  for (const node of nodes) {
    const before = (waits.get(node.id) ?? []).map(({ id }) => waves.get(id) ?? 0)
    // A milestone is a point in time; it is over as soon as what it waits for is.
    waves.set(node.id, Math.max(0, ...before) + (node.milestone || node.skip !== undefined ? 0 : 1))
  }
  return waves
}

function rowsOf(
  plan: Plan,
  nodes: readonly PlanNode[],
  waits: ReadonlyMap<string, readonly PlanNode[]>,
): readonly PlanRow[] {
  const places = placesOf(plan)
  const reasons = reasonsOf(plan)
  const byLabel = new Map<string, PlanNode[]>()
  for (const node of nodes) byLabel.set(labelOf(node), [...(byLabel.get(labelOf(node)) ?? []), node])
  return [...byLabel].map(([label, group]) => {
    const texts = new Set(group.map((node) => waitText(waits.get(node.id) ?? [], node, places)))
    const skips = new Set(group.flatMap(({ skip }) => skip ?? []))
    const after = withoutOthers([...texts].filter((text) => text !== '')).join('; ')
    return {
      label,
      nodes: group,
      after: skips.size > 0 ? `skipped: ${[...skips].join('; ')}` : after,
      skipped: skips.size > 0,
      why: inFew([...new Set(group.flatMap(({ id }) => reasons.get(id) ?? []))]),
    }
  })
}

/** `build` and `build on web1`, of two hosts, is the same wait. */
function withoutOthers(texts: readonly string[]): readonly string[] {
  return texts.filter((text) => !texts.some((other) => other !== text && text.startsWith(`${other} on `)))
}

function inFew([first = '', ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first}, and ${count(more.length, 'more reason')}`
}

/** Why each node is in the plan: it was asked for, something needs it, or it hangs on something as a hook. */
function reasonsOf(plan: Plan): ReadonlyMap<string, readonly string[]> {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]))
  const byTask = new Map<string, string[]>()
  for (const { id, task, kind } of plan.nodes) {
    if (kind === 'task') byTask.set(task, [...(byTask.get(task) ?? []), id])
  }
  const reasons = new Map<string, Set<string>>()
  const add = (id: string, reason: string): void => {
    reasons.set(id, (reasons.get(id) ?? new Set()).add(reason))
  }
  for (const node of plan.nodes) {
    if (node.kind === 'task' && plan.requested.includes(node.task)) add(node.id, 'asked for')
  }
  for (const { from, to, reason } of plan.edges) {
    if (reason.type === 'before' || reason.type === 'after') {
      for (const id of [from, to]) {
        if (byId.get(id)?.task === reason.hook) add(id, `${reason.type} ${reason.of}`)
      }
    }
    const [needed, by] = [byId.get(from)?.task, byId.get(to)?.task]
    if (reason.type === 'need' && needed !== by && by !== undefined) {
      // A barrier's own node stands for the task whose hosts it gathers.
      for (const id of byTask.get(needed ?? '') ?? []) add(id, `${by} needs it`)
    }
  }
  return new Map([...reasons].map(([id, texts]) => [id, [...texts]]))
}

function cellsOf(
  { nodes }: PlanRow,
  places: readonly string[] | undefined,
  waves: ReadonlyMap<string, number>,
): readonly string[] {
  const waveOf = (node: PlanNode): string =>
    node.skip === undefined ? String(waves.get(node.id) ?? '') : '-'
  if (places) {
    return places.map((place) => {
      const node = nodes.find(({ host }) => (host ?? HERE) === place)
      return node ? waveOf(node) : '·'
    })
  }
  const hosts = nodes.flatMap(({ host }) => host ?? [])
  const all = nodes.map((node) => waves.get(node.id) ?? 0)
  const [first, last] = [Math.min(...all), Math.max(...all)]
  const where =
    hosts.length === 0 ? HERE : hosts.length === 1 ? (hosts[0] ?? '') : count(hosts.length, 'host')
  const wave = first === last ? waveText(first) : `${waveText(first)}-${waveText(last)}`
  return [where, nodes.every(({ skip }) => skip !== undefined) ? '-' : wave]
}

/** What nothing comes before, and takes no time itself, is at the start. */
function waveText(wave = 0): string {
  return wave === 0 ? 'start' : String(wave)
}

type Table = readonly (readonly string[])[]

function widthsOf(rows: Table): readonly number[] {
  return (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)))
}

function widthOf(rows: Table): number {
  const widths = widthsOf(rows)
  return widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1))
}

function tableLines(rows: Table): readonly string[] {
  const widths = widthsOf(rows)
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
