import type { RunEvent } from '../event/event.ts'

/**
 * Remembers a run. A file stands behind it, or a queue or a database: whatever takes time returns a promise, and the work that was
 * announced waits for it. What rejects or throws stops the run: work that nobody could take back must not start.
 */
export interface Journal {
  /** Takes an event; it may still be lost with this process. */
  append(event: RunEvent): void
  /** Done when a killed process loses nothing of what was appended: the operating system or the store has it. */
  flush(): void | Promise<void>
  /** Done when a power cut loses nothing of what was appended: the disk has it. */
  sync(): void | Promise<void>
  close(): void | Promise<void>
}
