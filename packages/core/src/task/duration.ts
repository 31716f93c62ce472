/** Milliseconds, or a number with its unit: `'500ms'`, `'30s'`, `'10m'`, `'2h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** What a timer of Node can wait for; it fires at once beyond that. */
export const LONGEST = 2 ** 31 - 1

/** What is said of a duration that {@link milliseconds} does not take. */
export const DURATION_HINT = "Write '30s', '10m', '2h' or milliseconds; the longest is 24 days."

/** The milliseconds of a duration; undefined for what is none, is not positive, or is longer than a timer can wait (24 days). */
export function milliseconds(value: unknown): number | undefined {
  if (typeof value === 'number') return inRange(value)
  if (typeof value !== 'string') return undefined
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value) ?? []
  return inRange(Number(number) * (UNITS[unit] ?? Number.NaN))
}

function inRange(value: number): number | undefined {
  return value > 0 && value <= LONGEST ? value : undefined
}

/** For people: in the largest unit that leaves a whole number. */
export function showDuration(value: number): string {
  const unit = ['h', 'm', 's'].find((name) => value % (UNITS[name] ?? 1) === 0) ?? 'ms'
  return `${String(value / (UNITS[unit] ?? 1))}${unit}`
}
