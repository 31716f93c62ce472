import { DURATION_HINT, LONGEST, milliseconds, type Duration } from './duration.ts'

/** How often a body that failed is tried again. */
export interface RetryOptions {
  /** Further attempts after the first. */
  readonly times: number
  /** Before the first further attempt. Default: none. */
  readonly delay?: Duration
  /** What each further delay is multiplied by: 2 gives 1 s, 2 s, 4 s. Default 1. */
  readonly backoff?: number
  /** Each delay is cut at random to between half and all of it, so that hosts do not come back in step. Default false. */
  readonly jitter?: boolean
}

/** A number of further attempts, at once, or more exactly. */
export type Retry = number | RetryOptions

const HINT =
  'Write 3 (further attempts), or { times: 3, delay: 2s, backoff: 2, jitter: true } with the delay in quotes.'

/** What is wrong with a value that is to be a {@link Retry}, and what to write; undefined when nothing is. */
export function whyNoRetry(retry: unknown): { readonly what: string; readonly hint: string } | undefined {
  if (typeof retry === 'number')
    return isCount(retry) ? undefined : { what: `is ${String(retry)}`, hint: HINT }
  if (typeof retry !== 'object' || retry === null) return { what: `is ${JSON.stringify(retry)}`, hint: HINT }
  const { times, delay, backoff, jitter, ...more } = retry as Readonly<Record<string, unknown>>
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) return { what: `has the unknown key '${unknown}'`, hint: HINT }
  if (!isCount(times)) return { what: `has the times ${String(times)}`, hint: HINT }
  if (delay !== undefined && milliseconds(delay) === undefined)
    return { what: `has the delay ${JSON.stringify(delay)}`, hint: DURATION_HINT }
  if (backoff !== undefined && !(typeof backoff === 'number' && backoff >= 1 && Number.isFinite(backoff)))
    return {
      what: `has the backoff ${JSON.stringify(backoff)}`,
      hint: 'It is a number from 1: 2 doubles each delay.',
    }
  if (jitter !== undefined && typeof jitter !== 'boolean')
    return { what: `has the jitter ${JSON.stringify(jitter)}`, hint: 'It is true or false.' }
  return undefined
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1
}

/** How many attempts there are in all. */
export function attemptsOf(retry: Retry | undefined): number {
  return 1 + (typeof retry === 'number' ? retry : (retry?.times ?? 0))
}

/** Milliseconds to wait after attempt `failed` (from 1); `random` is between 0 and 1. */
export function delayAfter(retry: Retry | undefined, failed: number, random: number): number {
  if (retry === undefined || typeof retry === 'number') return 0
  const { delay, backoff = 1, jitter = false } = retry
  const whole = Math.min((milliseconds(delay) ?? 0) * backoff ** (failed - 1), LONGEST)
  return Math.round(jitter ? whole * (0.5 + random / 2) : whole)
}
