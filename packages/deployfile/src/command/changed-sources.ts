import { changedSources } from '@deployfile/core'
import type { Work } from '../run/work.ts'
import type { Terminal } from '../cli/terminal.ts'

/** The plan is the same, but what its tasks do may not be. */
export function warnOfChanges({ before, sources }: Work, { stderr }: Pick<Terminal, 'stderr'>): void {
  const changed = changedSources(before?.recorded.sources ?? {}, sources)
  if (changed.length === 0) return
  const what = changed.length === 1 ? 'This file has' : 'These files have'
  stderr.write(`deployfile: ${what} changed since the run was started: ${changed.join(', ')}\n`)
}
