import { type CommandEvent, createRedactor, redact, type ShellScope } from '@deployfile/core'
import type { Facts } from './failure.ts'
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

const TAIL_LINES = 20

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
  const tails = { stdout: [] as string[], stderr: [] as string[] }
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
      tail: tails.stderr.length > 0 ? tails.stderr : tails.stdout,
      cwd: order.cwd,
    }),
    started: () => tell({ type: 'command.started', command, host, text, reads: order.reads }),
    lines: (stream) =>
      createLines(createRedactor(), (line) => {
        const tail = tails[stream]
        tail.push(line)
        if (tail.length > TAIL_LINES) tail.shift()
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
