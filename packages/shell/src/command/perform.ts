import { setMaxListeners } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { type CommandEvent, isProblem, type ShellScope } from '@deployfile/core'
import type { Ending, Running, Transport } from '../transport.ts'
import { commandStopped, connectionLost, type Facts, outputCut } from './failure.ts'
import { fitted, type Order } from './order.ts'
import { CAPTURE_LIMIT, createCapture, createLines } from './output.ts'
import { elapse, supervise, type Stop } from './supervise.ts'

/** What the shells of one run share. */
export interface Voice {
  /** Numbers commands, unique in the run. */
  next(): number
  /** Hides secrets in whatever leaves this package as text. */
  redact(text: string): string
}

export interface Done {
  readonly ending: Ending
  readonly stdout: string
  readonly stderr: string
  readonly truncated: boolean
  readonly durationMs: number
  readonly facts: Facts
}

const TAIL_LINES = 20

/**
 * Starts an order, tells of it, and waits for its end. Resolves with whatever status it had; rejects with CONNECTION_LOST,
 * COMMAND_CANCELLED, COMMAND_TIMEOUT or what the transport rejected with. Always settles: 8 s after a cancel at the latest.
 */
export async function perform(
  whole: Order,
  transport: Transport,
  scope: ShellScope,
  voice: Voice,
): Promise<Done> {
  const order = fitted(whole)
  const host = transport.host.name
  const text = voice.redact(order.text)
  const command = voice.next()
  const begun = performance.now()
  const tails = { stdout: [] as string[], stderr: [] as string[] }
  const facts = (): Facts => ({ host, text, tail: tails.stderr.length > 0 ? tails.stderr : tails.stdout })
  const stop = createStop(scope.signal, order.timeout)

  // A listener that throws (a full disk under a journal) must end this command, not the process.
  const tell = (event: CommandEvent): void => {
    try {
      scope.emit(event)
    } catch (error) {
      stop.because({ error })
    }
  }
  const lines = (stream: 'stdout' | 'stderr') =>
    createLines((raw) => {
      const line = voice.redact(raw)
      const tail = tails[stream]
      tail.push(line)
      if (tail.length > TAIL_LINES) tail.shift()
      tell({ type: 'command.output', command, host, stream, line })
    })

  let ending: Ending | undefined
  tell({ type: 'command.started', command, host, text, reads: order.reads })
  try {
    const running = await started(order, transport, stop, facts)
    const captures = {
      stdout: createCapture(order.capture ?? CAPTURE_LIMIT),
      stderr: createCapture(CAPTURE_LIMIT),
    }
    let heard = performance.now()
    const listen = (stream: 'stdout' | 'stderr', quiet: boolean): (() => void) => {
      const told = lines(stream)
      running[stream].on('data', (chunk: Buffer) => {
        heard = performance.now()
        captures[stream].add(chunk)
        if (!quiet) told.add(chunk)
      })
      return () => told.end()
    }
    const finish = [listen('stderr', false)]
    if (order.into) pour(running.stdout, order.into, stop, () => (heard = performance.now()))
    else finish.push(listen('stdout', order.silent === true))
    feed(order.input, running.stdin, stop)

    const outcome = await supervise(running, stop.reason, () => heard)
    ending = outcome.ending
    for (const end of finish) end()
    if (outcome.stopped) throw stoppedBy(outcome.stopped, facts(), outcome.ending)
    const known = outcome.ending ?? { exitCode: null, signal: null, lost: 'no answer' }
    const unknown = known.exitCode === null && known.signal === null
    if (unknown || (known.lost !== undefined && wantsOutput(order)))
      throw connectionLost(facts(), known.lost ?? 'it told no exit status', true)
    if (outcome.cut && wantsOutput(order)) throw outputCut(facts(), known)
    return {
      ending: known,
      stdout: captures.stdout.text(),
      stderr: captures.stderr.text(),
      truncated:
        captures.stdout.truncated || captures.stderr.truncated || outcome.cut || known.lost !== undefined,
      durationMs: elapse(begun),
      facts: facts(),
    }
  } finally {
    stop.release()
    if (typeof order.input === 'object' && 'destroy' in order.input) order.input.destroy()
    tell({
      type: 'command.ended',
      command,
      host,
      exitCode: ending?.exitCode ?? null,
      signal: ending?.signal ?? null,
      durationMs: elapse(begun),
    })
  }
}

// Half of the output of something that changes the world is a flaw of the log; half of an answer is a wrong answer.
function wantsOutput(order: Order): boolean {
  return order.reads || order.into !== undefined
}

async function started(
  order: Order,
  transport: Transport,
  stop: StopSource,
  facts: () => Facts,
): Promise<Running> {
  const early = stop.now()
  if (early) throw stoppedBy(early, facts(), undefined, false)
  try {
    return await transport.start(
      { sh: order.sh, args: order.args ?? [], stdin: order.input === undefined ? 'none' : 'pipe' },
      stop.signal,
    )
  } catch (error) {
    const lost = isProblem(error) && error.code === 'CONNECTION_LOST' ? error.details : undefined
    const mayHaveRun = lost?.command?.mayHaveRun === true
    const why = stop.now()
    // A link that broke in between is the better story: what was asked for may have run.
    if (why && !mayHaveRun) throw stoppedBy(why, facts(), undefined, false)
    // The transport knows the reason, this place the command.
    if (lost?.cause instanceof Error) throw connectionLost(facts(), lost.cause.message, mayHaveRun)
    throw error
  }
}

function stoppedBy(stop: Stop, facts: Facts, ending: Ending | undefined, started = true): unknown {
  return typeof stop === 'object' && 'error' in stop
    ? stop.error
    : commandStopped(stop, facts, ending, started)
}

interface StopSource {
  /** Aborted by the run, by the timeout or by a fault of ours, whichever is first. */
  readonly signal: AbortSignal
  readonly reason: Promise<Stop>
  now(): Stop | undefined
  because(stop: Stop): void
  release(): void
}

function createStop(outer: AbortSignal, timeout: number | undefined): StopSource {
  // Many commands listen to the one signal of a run, which is no leak.
  setMaxListeners(0, outer)
  const controller = new AbortController()
  let first: Stop | undefined
  let settle: (stop: Stop) => void
  const reason = new Promise<Stop>((resolve) => (settle = resolve))
  const because = (stop: Stop): void => {
    if (first !== undefined) return
    first = stop
    settle(stop)
    controller.abort()
  }
  const cancel = (): void => because('cancelled')
  if (outer.aborted) cancel()
  else outer.addEventListener('abort', cancel, { once: true })
  const timer = timeout === undefined ? undefined : setTimeout(() => because({ timeout }), timeout)
  return {
    signal: controller.signal,
    reason,
    now: () => first,
    because,
    release() {
      clearTimeout(timer)
      outer.removeEventListener('abort', cancel)
    },
  }
}

function feed(input: Order['input'], stdin: Writable | undefined, stop: StopSource): void {
  if (input === undefined || !stdin) return
  // EPIPE: the command did not want all of it. Its exit code says whether that was right.
  stdin.on('error', () => undefined)
  if (typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input)
    return
  }
  input.on('error', (error) => stop.because({ error }))
  input.pipe(stdin)
  // What is being stopped must not be completed by what is still on its way; and a TERM that falls between fork and exec is lost
  // (dash), so that only the end of its input lets the other side clean up before the KILL. Uploads check their size.
  const cutOff = (): void => {
    input.unpipe(stdin)
    stdin.end()
  }
  if (stop.now()) cutOff()
  else stop.signal.addEventListener('abort', cutOff, { once: true })
}

function pour(from: Readable, into: Writable, stop: StopSource, heard: () => void): void {
  into.on('error', (error) => {
    stop.because({ error })
    // The rest must still be read, or the command never ends.
    from.resume()
  })
  from.on('data', heard)
  from.pipe(into)
}
