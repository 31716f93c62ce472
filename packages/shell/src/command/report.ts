import { type CommandEvent, createRedactor, redact, type ShellScope } from '@deployfile/core'
import type { Facts } from './failure.ts'
import { createLastLines } from './last-lines.ts'
import { type Order, shownText } from './order.ts'
import { createLines, type Lines } from './output.ts'
import type { Shared } from './shared.ts'
import { elapse } from './supervise.ts'
import type { Ending } from '../transport.ts'

/** All that is told of one command. Nothing in it holds a secret. */
export interface Report {
  readonly facts: () => Facts
  started(): void
  /** A stream of output, as lines. */
  lines(stream: 'stdout' | 'stderr'): Lines
  ended(ending: Ending | undefined): void
  readonly durationMs: number
}

/** @param broken is called when a listener throws (a full disk under a journal): that must end the command, not the process */
export function createReport(
  order: Order,
  host: string,
  scope: ShellScope,
  shared: Shared,
  broken: (error: unknown) => void,
): Report {
  const text = redact(shownText(order))
  const silent = order.urgent === true
  const command = silent ? 0 : shared.next()
  const begun = performance.now()
  const last = createLastLines()
  const tell = (event: CommandEvent): void => {
    if (silent) return
    try {
      scope.emit(event)
    } catch (error) {
      broken(error)
    }
  }
  return {
    facts: () => ({
      host,
      text,
      tail: last.tail,
      output: last.output,
      cwd: order.cwd,
    }),
    started: () => tell({ type: 'command.started', command, host, text, reads: order.reads }),
    lines: (stream) =>
      createLines(createRedactor(), (line) => {
        last.add({ stream, line })
        if (order.mute !== true) tell({ type: 'command.output', command, host, stream, line })
      }),
    ended(ending) {
      const { exitCode = null, signal = null } = ending ?? {}
      tell({ type: 'command.ended', command, host, exitCode, signal, durationMs: elapse(begun) })
    },
    get durationMs() {
      return elapse(begun)
    },
  }
}
