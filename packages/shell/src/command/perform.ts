import { randomBytes } from 'node:crypto'
import { isProblem, isSecret, openSecret, type ShellScope } from '@deployfile/core'
import type { Ending, Running, Transport } from '../transport.ts'
import { attend, type Talk } from './attend.ts'
import type { Done } from './done.ts'
import {
  commandStopped,
  connectionLost,
  type Facts,
  type Left,
  neverBegan,
  notBegun,
  outputCut,
} from './failure.ts'
import { sourceOf } from './feed.ts'
import { type Launch, launch, type Place } from './launch.ts'
import { endOrder, NOT_SEEN, NOTHING_LEFT, signalOrder, type Trace } from './leftover.ts'
import { loginEnvironment } from './login.ts'
import { clearLost, rememberLost } from './lost.ts'
import type { Order } from './order.ts'
import { createReport, type Report } from './report.ts'
import type { Shared } from './shared.ts'
import { createStop, type StopSource } from './stop.ts'
import { type Outcome, supervise, type Stop, within } from './supervise.ts'

/**
 * What is left of a command that has been stopped gets this long to be found and ended, counted from the stop: most of it is there where
 * the command itself went at once, and at least a little where it had to be killed.
 */
const CLEARED = 8_500
const CLEARING = 1_500

/**
 * Starts an order, tells of it, and waits for its end. Resolves with whatever status it had; rejects with CONNECTION_LOST,
 * COMMAND_CANCELLED, COMMAND_TIMEOUT, SUDO_REFUSED, LOGIN_SHELL, SECRET_MISSING or what the transport rejected with. Always settles:
 * 9 s after a cancel at the latest.
 */
export async function perform(
  order: Order,
  transport: Transport,
  scope: ShellScope,
  shared: Shared,
): Promise<Done> {
  const { host } = transport
  const key = `${host.stage}/${host.name}`
  let talk: Talk | undefined
  let heard = performance.now()
  const alive = (): void => void (heard = performance.now())
  const stop = createStop(scope.signal, {
    timeout: order.timeout,
    idle: order.idle,
    alive: () => (talk?.waiting === true ? undefined : heard),
  })
  const report = createReport(order, host.name, scope, shared, (error) => stop.because({ error }))
  const again = (
    other: Order,
    signal: AbortSignal,
    emit: ShellScope['emit'] = (event) => scope.emit(event),
  ): Promise<Done> => perform(other, transport, { signal, emit }, shared)
  // A person may be asked for a secret, another command may be at work on what was lost, or may be asking the login shell: none of it is
  // waited for after a cancel.
  const unlessStopped = async <T>(preparing: Promise<T>): Promise<T> => {
    const stopped = stop.reason.then((why) => {
      throw stoppedBy(why, report.facts(), undefined, 'not started')
    })
    return Promise.race([stopped, preparing])
  }
  // About this command, and told to nobody.
  const about = (other: Order): Promise<number | null | undefined> =>
    again({ ...other, urgent: true }, AbortSignal.timeout(other.timeout ?? CLEARING), () => undefined).then(
      (done) => done.ending.exitCode,
      () => undefined,
    )

  let ending: Ending | undefined
  let input: ReturnType<typeof sourceOf>
  report.started()
  try {
    await unlessStopped(openAll(order, transport))
    input = sourceOf(order.input)
    if (order.urgent !== true && order.clears !== true)
      await unlessStopped(clearLost(key, shared, (other) => again(other, stop.signal)))
    const place: Place = {
      mark: randomBytes(8).toString('hex'),
      path: host.path ?? [],
      login: await unlessStopped(loginOf(order, transport, shared, stop, again)),
      hasPassword: host.sudo?.password !== undefined,
    }
    alive()
    stop.begin()
    const trace = (): Trace => ({
      mark: place.mark,
      text: report.facts().text,
      user: order.user,
      pid: talk?.greeting?.pid,
      session: talk?.greeting?.session,
    })
    const mayRunOn = (): void => {
      if (order.urgent !== true) rememberLost(key, shared, trace())
    }
    const { running, launched } = await started(order, place, transport, stop, report).catch(
      (error: unknown) => {
        // It was sent, and the link broke before anything was heard of it.
        if (isProblem(error) && error.details.command?.mayHaveRun === true) mayRunOn()
        throw error
      },
    )
    talk = attend(running, {
      ...{ order, launched, input, report, stop, alive },
      mark: place.mark,
      password: host.sudo?.password,
      greeted: ({ shell }) => {
        if (order.user === undefined) transport.learn?.(shell)
      },
    })
    // Until sudo has let it through, nothing of it runs, and asking sudo again would not find out more.
    const hunted = (): boolean => order.user === undefined || talk?.greeting !== undefined
    const outcome = await supervise(
      running,
      stop.reason,
      // What waits for whoever takes the output has not fallen silent.
      () => (talk?.waiting === true ? performance.now() : heard),
      order.urgent === true ? undefined : (name) => void (hunted() && about(signalOrder(trace(), name))),
    )
    ending = outcome.ending
    talk.end()
    const unknown = !ending || (ending.exitCode === null && ending.signal === null)
    // Its greeting may have been lost with the link, so that this counts before it has spoken, too.
    if (unknown) mayRunOn()
    if (outcome.stopped) {
      const begun = talk.greeting !== undefined || !isUnbegun(outcome.stopped)
      const patience = Math.max(CLEARING, CLEARED - stop.since())
      const left = unknown
        ? 'unknown'
        : await clearedAway(order, begun && hunted(), ending, patience, () => about(endOrder([trace()], 0)))
      throw stoppedBy(outcome.stopped, report.facts(), ending, left, talk.said())
    }
    return await conclude(order, outcome, talk, stop, report)
  } finally {
    stop.release()
    talk?.release()
    if (typeof input === 'object' && 'destroy' in input) input.destroy()
    report.ended(ending)
  }
}

/** The one that was told to go has gone; those that it had started may not have listened. */
async function clearedAway(
  order: Order,
  hunted: boolean,
  ending: Ending | undefined,
  patience: number,
  end: () => Promise<number | null | undefined>,
): Promise<Left> {
  if (ending?.lost !== undefined) return 'unknown'
  if (order.urgent === true || !hunted) return 'nothing'
  const found = await within(end(), patience)
  // No answer is none: whether something is left is not known then.
  return found === NOTHING_LEFT || found === NOT_SEEN ? 'nothing' : 'unknown'
}

function isUnbegun(stop: Stop): boolean {
  return typeof stop === 'object' && 'unbegun' in stop
}

/** What an end that nobody brought about means. */
async function conclude(
  order: Order,
  outcome: Outcome,
  talk: Talk,
  stop: StopSource,
  report: Report,
): Promise<Done> {
  const facts = report.facts()
  const ending = outcome.ending ?? { exitCode: null, signal: null, lost: 'no answer' }
  // Half of the output of something that changes the world is a flaw of the log; half of an answer is a wrong answer.
  const wantsOutput = order.reads || order.into !== undefined
  const unknown = ending.exitCode === null && ending.signal === null
  if (unknown || (ending.lost !== undefined && wantsOutput))
    throw connectionLost(facts, ending.lost ?? 'it told no exit status', true)
  if (!talk.greeting) throw order.user === undefined ? notBegun(facts, ending, talk.said()) : talk.refused()
  if (outcome.cut && wantsOutput) throw outputCut(facts, ending)
  if (ending.exitCode === 0) {
    await Promise.race([talk.finish(), stop.reason])
    const why = stop.now()
    if (why) throw stoppedBy(why, facts, ending, 'nothing')
  }
  const cut = outcome.cut || ending.lost !== undefined
  return {
    ending,
    stdout: talk.stdout.text(),
    stderr: talk.stderr.text(),
    truncated: cut || talk.stdout.truncated || talk.stderr.truncated,
    whole: !cut && !talk.stdout.truncated,
    durationMs: report.durationMs,
    facts,
  }
}

/** What cannot be read is said before anything is started; later they are there at once. */
async function openAll({ secrets = {}, input, user }: Order, { host }: Transport): Promise<void> {
  const password = user === undefined ? undefined : host.sudo?.password
  for (const secret of [...Object.values(secrets), password, input])
    if (isSecret(secret)) await openSecret(secret)
}

/** With `user` it is sudo that makes the environment. */
async function loginOf(
  order: Order,
  { host }: Transport,
  shared: Shared,
  stop: StopSource,
  again: (order: Order, signal: AbortSignal) => Promise<Done>,
): Promise<string | undefined> {
  if (host.login !== true || order.user !== undefined || order.bare === true) return undefined
  return loginEnvironment(host, shared, stop.signal, (asking) => again(asking, stop.signal))
}

async function started(
  order: Order,
  place: Place,
  transport: Transport,
  stop: StopSource,
  { facts }: Pick<Report, 'facts'>,
): Promise<{ readonly running: Running; readonly launched: Launch }> {
  const early = stop.now()
  if (early) throw stoppedBy(early, facts(), undefined, 'not started')
  let launched: Launch | undefined
  try {
    const running = await transport.start(
      (room) => (launched = launch(order, place, room)).start,
      stop.signal,
      order.urgent,
    )
    return { running, launched: launched ?? launch(order, place, 0) }
  } catch (error) {
    const lost = isProblem(error) && error.code === 'CONNECTION_LOST' ? error.details : undefined
    const mayHaveRun = lost?.command?.mayHaveRun === true
    const why = stop.now()
    // A link that broke in between is the better story: what was asked for may have run.
    if (why && !mayHaveRun) throw stoppedBy(why, facts(), undefined, 'not started')
    // The transport knows the reason, this place the command.
    if (lost?.cause instanceof Error) throw connectionLost(facts(), lost.cause.message, mayHaveRun)
    throw error
  }
}

function stoppedBy(
  stop: Stop,
  facts: Facts,
  ending: Ending | undefined,
  left: Left,
  said: readonly string[] = [],
): unknown {
  if (typeof stop === 'object' && 'error' in stop) return stop.error
  if (typeof stop === 'object' && 'unbegun' in stop)
    return neverBegan(facts, ending, said, stop.unbegun, left)
  return commandStopped(stop, facts, ending, left)
}
