import { fileJournal, type Host, type Journal, type RunInfo, type ShellProvider } from '@deployfile/core'
import { createShells, type ShellsOptions } from '@deployfile/shell'

/** What one run holds open: its journal, and the connections to its hosts. */
export interface Doors {
  readonly journal: Journal
  readonly shells: ShellProvider
  /** Never rejects: what goes wrong while hanging up is of no use to anybody after the run is over. */
  close(): Promise<void>
}

/** Milliseconds that connections get to close; a server that does not answer must not keep a finished run from ending. */
const CLOSING = 3000

/** Who can be asked for a passphrase, and told of a host key that was added. */
export type People = Pick<ShellsOptions, 'askHidden' | 'notify'>

/** `hosts`: those that the run is going to use. `keep`: how many bytes of the events of a run that goes on are whole lines. */
export function openDoors(
  run: RunInfo,
  folder: string,
  hosts: readonly Host[],
  keep?: number,
  people: People = {},
): Doors {
  const journal = fileJournal(folder, keep)
  const shells = createShells({ root: run.root, ...people })
  shells.expect(hosts)
  return {
    journal,
    shells,
    async close() {
      await within(CLOSING, shells.close())
      try {
        await journal.close()
      } catch {
        // The last event was synced before: whoever runs has been told of what could not be written.
      }
    },
  }
}

async function within(milliseconds: number, closing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)))
  await Promise.race([closing.catch(() => undefined), late])
  clearTimeout(timer)
}
