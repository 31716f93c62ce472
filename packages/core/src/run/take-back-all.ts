import { setMaxListeners } from 'node:events'
import { runOnFailure } from './on-failure.ts'
import type { RunState } from './run-state.ts'
import { finallyAll, toUndo, undoAll } from './take-back.ts'
import { emit } from './tell.ts'

/** What has to be typed for `undo: 'ask'`. */
export const UNDO = 'undo'

/** What follows the work of a run: after a failure undo and the onFailure tasks, and `finally` in any case. */
export async function takeBack(run: RunState, failed: boolean): Promise<void> {
  // A fresh signal: what takes back must not be stopped by what stopped the work.
  const calm = new AbortController().signal
  // Every command of every undo listens to it.
  setMaxListeners(0, calm)
  if (failed) {
    const left = await whyLeft(run)
    if (left === undefined) await undoAll(run, calm)
    else {
      run.left = true
      emit(run, { type: 'run.left', reason: left })
    }
    await runOnFailure(run, calm)
  }
  await finallyAll(run, calm)
}

/** Why what was done stays as it is; undefined when it is to be undone. */
async function whyLeft(run: RunState): Promise<string | undefined> {
  const { undo = 'on', ask } = run.options
  if (undo === 'on') return undefined
  if (undo === 'off') return 'undo is off'
  const names = [...new Set(toUndo(run).map(({ node }) => node.task))]
  if (names.length === 0) return 'nothing can be undone'
  const message = `The run did not end well. What it did can be undone: ${names.join(', ')}.\nAnything else than ${UNDO} leaves it as it is.`
  try {
    await ask({ message, answer: UNDO })
    return undefined
  } catch {
    return 'it was not asked for'
  }
}
