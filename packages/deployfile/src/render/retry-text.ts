import type { RunEvent } from '@deployfile/core'
import { duration } from './duration.ts'
import { printable } from './style.ts'

/** One line about an attempt that failed while there is another one to come. */
export function retryText({
  problem,
  attempt,
  attempts,
  delayMs,
}: Extract<RunEvent, { type: 'node.retrying' }>): string {
  const [first = ''] = problem.message.split('\n', 1)
  const when = delayMs === 0 ? 'now' : `in ${duration(delayMs)}`
  return `${printable(first)}: attempt ${String(attempt + 1)} of ${String(attempts)} ${when}`
}
