import type { Ending, Running } from '../transport.ts'

/**
 * Why a command is stopped before its end. `unbegun`: its own sh has not spoken for so many milliseconds. `error`: something of ours
 * failed, and is what the caller shall see.
 */
export type Stop =
  | 'cancelled'
  | { readonly timeout: number }
  | { readonly idle: number }
  | { readonly unbegun: number }
  | { readonly error: unknown }

export interface Outcome {
  /** Undefined: it was told to stop, and nothing came back. */
  readonly ending: Ending | undefined
  readonly stopped?: Stop
  /** It ended, but its output was left open by something in the background; we stopped listening. */
  readonly cut: boolean
}

const TERM_TO_KILL = 5_000
const KILL_TO_CLOSE = 2_000
/** After a signal, how long its effect is awaited before the processes are looked for by another way. */
const SIGNAL_WAIT = 400
/** After the exit, how long its output may stay open without a byte. A server started in the background must not hang a run. */
const OPEN_AFTER_EXIT = 10_000

/**
 * Waits for the end, or brings it about: TERM to the process group, after 5 s KILL, after 2 s more nobody listens.
 * @param hunt finds the command's processes where a signal request does not reach them: sshd sends none into a forced command, none to
 * sudo's, and before 7.9 none at all. Without it nobody waits for one that is stopped.
 */
export async function supervise(
  running: Running,
  stop: Promise<Stop>,
  heard: () => number,
  hunt: ((name: 'TERM' | 'KILL') => void) | undefined,
): Promise<Outcome> {
  const first = await Promise.race([
    running.ended.then((ending) => ({ ending, cut: false })),
    leftOpen(running, heard).then((ending) => ({ ending, cut: true })),
    stop.then((stopped) => ({ stopped })),
  ])
  if (!('stopped' in first)) {
    if (first.cut) running.close()
    return first
  }
  if (!hunt) {
    running.close()
    return { ending: undefined, stopped: first.stopped, cut: false }
  }
  let ending: Ending | undefined
  for (const [name, patience] of [
    ['TERM', TERM_TO_KILL],
    ['KILL', KILL_TO_CLOSE],
  ] as const) {
    running.signal(name)
    ending = await within(running.ended, SIGNAL_WAIT)
    if (!ending) {
      hunt(name)
      ending = await within(running.ended, patience - SIGNAL_WAIT)
    }
    if (ending) break
  }
  if (!ending) running.close()
  return { ending, stopped: first.stopped, cut: false }
}

// Settles only when a command has exited and its output stays open and silent.
async function leftOpen(running: Running, heard: () => number): Promise<Ending> {
  const ending = await running.exited
  const exitedAt = performance.now()
  for (;;) {
    const silent = performance.now() - Math.max(exitedAt, heard())
    if (silent >= OPEN_AFTER_EXIT) return ending
    const over = await within(
      running.ended.then(() => true),
      OPEN_AFTER_EXIT - silent,
    )
    if (over) return ending
  }
}

/** The promise's value, or undefined when it takes longer. */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export function elapse(since: number): number {
  return Math.round(performance.now() - since)
}
