import { DURATION_HINT, milliseconds, type Duration } from './duration.ts'

/** A task's hosts one batch after the other. */
export interface Rolling {
  /** Hosts of a batch: a number, or a share of all of them (`'25%'`, rounded down, at least one). */
  readonly batch: number | `${number}%`
  /** Between the end of a batch and the next one. Default: none. */
  readonly wait?: Duration
  /**
   * How many hosts may fail, the checks among the hooks included: a number, or a share of all of them (rounded down). They end warned,
   * which needs `onError: 'warn'`; one more fails the run. Default: none may, or all of them where `onError` is 'warn'.
   */
  readonly maxFail?: number | `${number}%`
}

const HINT = "Write { batch: 2 } or { batch: '25%', wait: '30s' }."

/** What is wrong with a value that is to be a {@link Rolling}, and what to write; undefined when nothing is. */
export function whyNoRolling(rolling: unknown): { readonly what: string; readonly hint: string } | undefined {
  if (typeof rolling !== 'object' || rolling === null)
    return { what: `is ${JSON.stringify(rolling)}`, hint: HINT }
  const { batch, wait, maxFail, ...more } = rolling as Readonly<Record<string, unknown>>
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) return { what: `has the unknown key '${unknown}'`, hint: HINT }
  if (share(batch) === undefined && !(Number.isInteger(batch) && Number(batch) >= 1))
    return { what: `has the batch ${JSON.stringify(batch)}`, hint: HINT }
  if (wait !== undefined && milliseconds(wait) === undefined)
    return { what: `has the wait ${JSON.stringify(wait)}`, hint: DURATION_HINT }
  if (maxFail !== undefined && maxFail !== '0%' && share(maxFail) === undefined && !isCount(maxFail))
    return {
      what: `has the maxFail ${JSON.stringify(maxFail)}`,
      hint: "It is a number of hosts, or a share of them: 2, '10%'.",
    }
  return undefined
}

/** How many of so many hosts a batch has. */
export function batchSize({ batch }: Rolling, hosts: number): number {
  const part = share(batch)
  return part === undefined ? Number(batch) : Math.max(1, Math.floor((hosts * part) / 100))
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0
}

/** How many of so many hosts may fail; undefined where nobody counts them. */
export function mostFailing({ maxFail }: Rolling, hosts: number): number | undefined {
  if (maxFail === undefined || typeof maxFail === 'number') return maxFail
  return Math.floor((hosts * (share(maxFail) ?? 0)) / 100)
}

function share(batch: unknown): number | undefined {
  const [, number] = typeof batch === 'string' ? (/^(\d+(?:\.\d+)?)%$/.exec(batch) ?? []) : []
  const part = Number(number)
  return part > 0 && part <= 100 ? part : undefined
}
