import type { RunProcess } from '@deployfile/core'

/**
 * 'building' from before a release appears until it is live; 'live' when `current` was put on it; 'failed' when it was removed again;
 * 'rolled-back' when `current` was taken off it because it was bad.
 */
export type ReleaseState = 'building' | 'live' | 'failed' | 'rolled-back'

/** A line of `.deployfile/releases.jsonl`. The last line about a release counts. */
export interface LedgerEntry {
  readonly release: string
  readonly state: ReleaseState
  readonly run: string
  /** With 'live': the application was told to start from it. */
  readonly restart?: true
  readonly at: string
  readonly user?: string
  readonly revision?: string
  readonly branch?: string
  /** With 'building': the process that builds it. */
  readonly process?: RunProcess
  /** With 'building': its run held the deploy lock then. */
  readonly locked?: boolean
}

const STATES: readonly string[] = ['building', 'live', 'failed', 'rolled-back'] satisfies ReleaseState[]

/** One line without its newline. `release`, `state`, `run` and `restart` come first: scripts search for {@link ledgerStart}. */
export function ledgerLine({ release, state, run, restart, at, ...rest }: LedgerEntry): string {
  return JSON.stringify({ release, state, run, ...(restart && { restart }), at, ...rest })
}

/** How the line of a release in a state, written by a run, begins. */
export function ledgerStart(release: string, state: ReleaseState, run: string): string {
  return JSON.stringify({ release, state, run }).slice(0, -1)
}

/** Reads lines; those that are torn or foreign are passed over, because a kill may leave half a line. */
export function readLines(lines: readonly string[]): readonly LedgerEntry[] {
  return lines.flatMap((line) => readLine(line) ?? [])
}

/** The last word about each release. */
export function readLedger(lines: readonly string[]): ReadonlyMap<string, LedgerEntry> {
  return new Map(readLines(lines).map((entry) => [entry.release, entry]))
}

function readLine(line: string): LedgerEntry | undefined {
  try {
    const value = JSON.parse(line) as Partial<LedgerEntry> | null
    return typeof value?.release === 'string' && STATES.includes(String(value.state))
      ? (value as LedgerEntry)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Shell function `ledger LINE`: appends to the ledger named by `$ledger`. A torn last line is closed first, so that the new one
 * does not become part of it.
 */
export const LEDGER_FUNCTION = String.raw`
ledger() {
  if [ -s "$ledger" ] && [ -n "$(tail -c 1 "$ledger")" ]; then printf '\n' >> "$ledger"; fi
  printf '%s\n' "$1" >> "$ledger"
}`
