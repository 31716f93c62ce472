import { commandArguments } from './contract/arguments.ts'
import { commands } from './contract/commands.ts'
import { dry } from './contract/dry.ts'
import { files } from './contract/files.ts'
import type { Open } from './contract/opened.ts'
import { refusals } from './contract/refusals.ts'
import { settings } from './contract/settings.ts'
import { events, stopping } from './contract/stopping.ts'
import { streams } from './contract/streams.ts'
import { transfers } from './contract/transfers.ts'
import { trees } from './contract/trees.ts'

export { problemOf, until } from './contract/opened.ts'
export { refusals } from './contract/refusals.ts'

/** What every door to a real shell keeps. */
export function shellContract(open: Open): void {
  commands(open)
  commandArguments(open)
  refusals(open)
  settings(open)
  streams(open)
  stopping(open)
  events(open)
  files(open)
  transfers(open)
  trees(open)
  dry(open)
}
