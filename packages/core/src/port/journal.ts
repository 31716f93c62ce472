import type { RunEvent } from '../event/event.ts'

/**
 * Remembers a run. `append` returns only when the operating system has the event (a killed process loses nothing that it announced);
 * `sync` returns when the disk has it. A queue or a database can stand behind this as well as a file.
 */
export interface Journal {
  append(event: RunEvent): void
  sync(): void
  close(): void
}
