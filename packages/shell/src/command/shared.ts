import type { Forwarding } from '@deployfile/core'
import type { Trace } from './leftover.ts'

/** What the shells of one run share. */
export interface Shared {
  /** Numbers commands, unique in the run. */
  next(): number
  /** By host: commands whose link broke, which may still be running there. */
  readonly lost: Map<string, Trace[]>
  /** By host: what is being done about them. */
  readonly clearing: Map<string, Promise<void>>
  /** By host: what its login shell exports. */
  readonly logins: Map<string, Promise<string>>
  /** What is open and ends with the run. */
  readonly forwardings: Set<Forwarding>
}

export function createShared(): Shared {
  let commands = 0
  return {
    next: () => ++commands,
    lost: new Map(),
    clearing: new Map(),
    logins: new Map(),
    forwardings: new Set(),
  }
}
