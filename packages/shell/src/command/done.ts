import type { Ending } from '../transport.ts'
import type { Facts } from './failure.ts'

/** A command that is over, whatever its status. */
export interface Done {
  readonly ending: Ending
  readonly stdout: string
  readonly stderr: string
  /** Of either stream. */
  readonly truncated: boolean
  /** All of standard output is here: what was said on standard error as well does not make half of an answer. */
  readonly whole: boolean
  readonly durationMs: number
  readonly facts: Facts
}
