import type { Duplex } from 'node:stream'
import type { Setback } from './setback.ts'

/** What SSH is spoken over. */
export interface Link {
  readonly stream: Duplex
  /** The address on the other side, where it is ours to see. */
  readonly address: string | undefined
  /** Ends it without a word. */
  hangUp(): void
  /** The program that made the connection has ended, which is why all else went wrong. */
  setback(): Setback | undefined
}
