import type { Readable } from 'node:stream'
import { redact, reveal, type Secret } from '@deployfile/core'
import type { Running } from '../transport.ts'
import { type Asked, type Facts, sudoRefused } from './failure.ts'
import { feed } from './feed.ts'
import { createOpening, type Greeting } from './greeting.ts'
import type { Launch } from './launch.ts'
import type { Order } from './order.ts'
import { type Capture, CAPTURE_LIMIT, createCapture } from './output.ts'
import { createPour } from './pour.ts'
import type { Report } from './report.ts'
import type { StopSource } from './stop.ts'
import { sudoPrompt } from './sudo.ts'

/**
 * A command's own sh speaks as soon as it runs. sudo may wait for a directory server, and a login shell has much to read; longer than
 * that sudo waits for somebody who is not there, and what was started is no shell at all (a forced command).
 */
const OPENING_WAIT = 30_000

export interface AttendParts {
  readonly order: Order
  readonly mark: string
  readonly launched: Launch
  readonly input: string | Uint8Array | Readable | undefined
  /** For sudo. */
  readonly password: Secret | undefined
  readonly report: Report
  readonly stop: StopSource
  /** The command gave a sign of life. */
  readonly alive: () => void
  readonly greeted: (greeting: Greeting) => void
}

/** Both sides of the conversation with one running command. */
export interface Talk {
  readonly stdout: Capture
  readonly stderr: Capture
  readonly greeting: Greeting | undefined
  /** True while whoever takes the output cannot follow. */
  readonly waiting: boolean
  /** What was said before the command's own sh spoke. */
  said(): readonly string[]
  refused(): ReturnType<typeof sudoRefused>
  /** Tells the last, unfinished lines. */
  end(): void
  /** All of the output has been taken. */
  finish(): Promise<void>
  release(): void
}

/** Reads both streams to their ends, answers sudo, and writes what the command is to be given. */
export function attend(running: Running, parts: AttendParts): Talk {
  const { order, mark, launched, input, password, report, stop, alive } = parts
  const { stdin } = running
  // EPIPE: the command did not want all of it. Its exit code says whether that was right.
  stdin?.on('error', () => undefined)
  const captures = {
    stdout: createCapture(order.capture ?? CAPTURE_LIMIT),
    stderr: createCapture(CAPTURE_LIMIT),
  }
  const told = { stdout: report.lines('stdout'), stderr: report.lines('stderr') }
  const pour = order.into && createPour(running.stdout, order.into, stop, alive)
  const push = (): void => {
    if (stdin) feed(stdin, launched, input, stop, alive)
  }

  let timer: NodeJS.Timeout | undefined
  const refused = (asked?: Asked) =>
    sudoProblem(report.facts(), order, opening.said(), asked ?? (opening.prompts > 0 ? 'refused' : 'nothing'))
  const waitForOpening = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      // What reads there gives up: sudo its question, a file transfer server its waiting.
      stdin?.end()
      running.endInput()
      stop.because(order.user === undefined ? { unbegun: OPENING_WAIT } : { error: refused('else') })
    }, OPENING_WAIT)
  }
  const opening = createOpening({
    mark,
    prompt: order.user !== undefined && password ? sudoPrompt(mark) : undefined,
    greeted(greeting) {
      clearTimeout(timer)
      parts.greeted(greeting)
      if (waits) push()
    },
    prompted(times) {
      waitForOpening()
      // One try: a second one with the same password would only bring the login closer to being locked.
      if (times === 1 && password && stdin) stdin.write(`${reveal(password)}\n`)
      else stdin?.end()
    },
  })
  // What is sent before sudo has let us through could be taken for a password, or be given to nobody; a terminal would echo it.
  const waits = order.user !== undefined || launched.start.pty

  const errors = (chunk: Buffer): void => {
    if (chunk.length === 0) return
    captures.stderr.add(chunk)
    told.stderr.add(chunk)
  }
  running.stderr.on('data', (chunk: Buffer) => {
    alive()
    errors(opening.stderr(chunk))
  })
  running.stdout.on('data', (chunk: Buffer) => {
    alive()
    const own = opening.stdout(chunk)
    if (own.length === 0) return
    if (pour) pour.take(own)
    else {
      captures.stdout.add(own)
      if (order.silent !== true) told.stdout.add(own)
    }
  })
  waitForOpening()
  if (!waits) push()

  return {
    stdout: captures.stdout,
    stderr: captures.stderr,
    get greeting() {
      return opening.greeting
    },
    get waiting() {
      return pour?.waiting === true
    },
    said: () => opening.said().map(redact),
    refused: () => refused(),
    end() {
      clearTimeout(timer)
      errors(opening.rest())
      told.stdout.end()
      told.stderr.end()
    },
    finish: async () => pour?.finish(),
    release() {
      clearTimeout(timer)
      pour?.release()
    },
  }
}

function sudoProblem(facts: Facts, { user = '' }: Order, said: readonly string[], asked: Asked) {
  return sudoRefused(facts, user, said.map(redact), asked)
}
