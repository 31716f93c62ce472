import { setMaxListeners } from 'node:events'
import type { NeedValue } from '../port/executor.ts'
import { Problem } from '../problem/problem.ts'
import { makeCall } from './call.ts'
import type { Bodies } from './call-walk.ts'
import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/** The calls of one entry into a body. */
export interface EntryCalls {
  /** Runs a task and gives what a need of it would give. Rejects with what went wrong. */
  make(task: string, input: unknown): Promise<NeedValue>
  /**
   * The body has ended, and no more calls are made. What is still running of them is waited for; where the body threw, it is stopped
   * first. Undefined when nothing is. Rejects with what went wrong in a call that nobody had waited for.
   */
  end(threw: boolean): Promise<void> | undefined
  /** Settled when nothing that was called is running; undefined when nothing is. Never rejects. */
  over(): Promise<unknown> | undefined
}

/** `signal` is that of the body: what stops it stops all that it called. */
export function entryCalls(
  run: RunState,
  caller: NodeState,
  signal: AbortSignal,
  bodies: Bodies,
): EntryCalls {
  const own = new AbortController()
  setMaxListeners(0, own.signal)
  const stop = (): void => {
    own.abort(signal.reason)
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  const open = new Set<Promise<NeedValue>>()
  let count = 0
  let ended = false
  const over = (): Promise<unknown> | undefined => (open.size === 0 ? undefined : Promise.allSettled(open))
  const letGo = (): void => {
    signal.removeEventListener('abort', stop)
  }
  const drain = async (threw: boolean): Promise<void> => {
    try {
      if (!threw) await Promise.all(open)
    } finally {
      own.abort(new Error('the task that called has ended'))
      await over()
    }
  }
  return {
    make(task, input) {
      const number = ++count
      const call = ended
        ? Promise.reject<NeedValue>(tooLate(caller, task))
        : makeCall(run, { caller, number, task, input, bodies }, own.signal)
      open.add(call)
      const close = (): void => void open.delete(call)
      // Also keeps a call that nobody waits for from ending the process; `end` waits for it.
      call.then(close, close)
      return call
    },
    end(threw) {
      ended = true
      if (open.size === 0) {
        letGo()
        return undefined
      }
      return drain(threw).finally(letGo)
    },
    over,
  }
}

export function tooLate({ node }: NodeState, task: string): Problem {
  return new Problem('task', 'CALL_TOO_LATE', `'${node.task}' calls '${task}' after it has ended`, {
    hint: 'Await every call, and everything that makes one, inside run.',
  })
}
