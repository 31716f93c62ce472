import { isActive, stateOf, type Row } from './tree-rows.ts'

export interface Shown {
  readonly row: Row
  /** Whether its last line of output is shown below it. */
  readonly output: boolean
}

/**
 * The rows that fit into `lines`, in plan order: what is active first, then what went wrong, then the nearest of what is over and of
 * what waits. A terminal cannot redraw what has scrolled out of it, so never more than fits.
 */
export function visibleRows(rows: readonly Row[], lines: number): readonly Shown[] {
  const states = rows.map((row) => stateOf(row))
  const indices = rows.map((_, index) => index)
  const active = indices.filter((index) => isActive(states[index] ?? 'waiting'))
  const wrong = indices.filter((index) =>
    ['failed', 'stuck', 'warned', 'cancelled'].includes(states[index] ?? ''),
  )
  const waiting = indices.filter((index) => states[index] === 'waiting')
  const rest = indices.filter(
    (index) => !active.includes(index) && !wrong.includes(index) && !waiting.includes(index),
  )
  // The latest that ended and the next that will start, taken in turns.
  const latest = rest.sort((a, b) => (rows[b]?.endedAt ?? 0) - (rows[a]?.endedAt ?? 0) || b - a)
  const near = latest.flatMap((index, turn) => [index, ...waiting.slice(turn, turn + 1)])
  const order = [...active, ...wrong, ...near, ...waiting.slice(latest.length)]
  const chosen = new Set(order.slice(0, Math.max(0, lines)))
  let free = lines - chosen.size
  return [...chosen]
    .sort((a, b) => a - b)
    .flatMap((index): Shown[] => {
      const row = rows[index]
      if (!row) return []
      const output = isActive(states[index] ?? 'waiting') && row.last !== '' && free > 0
      if (output) free--
      return [{ row, output }]
    })
}
