import type { RunEvent } from '@deployfile/core'

/** Whether a run, or the taking back of one, did what was asked for. */
export function endedWell({ status }: Extract<RunEvent, { type: 'run.ended' }>): boolean {
  return status === 'done' || status === 'undone'
}
