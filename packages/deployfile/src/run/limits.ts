import { Problem, type ExecuteOptions } from '@deployfile/core'

/** What a failure does to a run, and how much of it goes on at once: as the options of the command line, `grace` in milliseconds. */
export type Limits = Pick<ExecuteOptions, 'onFailure' | 'undo' | 'concurrency' | 'grace'>

/** @throws Problem `OPTION_INVALID` (usage): with no task at once, a run would never end */
export function limitsOf({ onFailure, undo, concurrency, grace }: Limits): Limits {
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0))
    refuse(`concurrency is ${String(concurrency)}`, 'Give how many tasks may run at once, from 1.')
  if (grace !== undefined && !(Number.isFinite(grace) && grace >= 0))
    refuse(`grace is ${String(grace)}`, 'Give milliseconds, from 0.')
  if (onFailure !== undefined && !['no-new', 'continue', 'kill'].includes(onFailure))
    refuse(`onFailure is '${onFailure}'`, "It may be 'no-new', 'continue' or 'kill'.")
  if (undo !== undefined && !['on', 'off', 'ask'].includes(undo))
    refuse(`undo is '${undo}'`, "It may be 'on', 'off' or 'ask'.")
  return {
    ...(onFailure !== undefined && { onFailure }),
    ...(undo !== undefined && { undo }),
    ...(concurrency !== undefined && { concurrency }),
    ...(grace !== undefined && { grace }),
  }
}

function refuse(what: string, hint: string): never {
  throw new Problem('usage', 'OPTION_INVALID', what, { hint })
}
