import type { Client } from 'ssh2'
import { createGate, type Gate } from './gate.ts'
import { isSilence, patience } from './keepalive.ts'
import type { Link } from './link.ts'
import type { Target } from './target.ts'

/** A login that works. */
export interface Connection {
  readonly client: Client
  readonly target: Target
  readonly channels: Gate
  /** Why it is gone; undefined while it lives. */
  lost(): string | undefined
  /** It is gone because the other side said nothing any more: it would not be heard of on a new one either. */
  readonly silent: boolean
  onLost(listener: () => void): void
  /** It was found dead before it said so itself. */
  abandon(reason: string): void
  /** Says goodbye; after 2 s it hangs up. */
  close(): Promise<void>
}

const CLOSE_TIMEOUT = 2_000
/** sshd allows 10 (MaxSessions), and frees one a little after its end. */
const CHANNELS = 8

/** @param trouble the first error that the client told of */
export function alive(
  client: Client,
  link: Link,
  target: Target,
  trouble: () => Error | undefined,
): Connection {
  const channels = createGate(CHANNELS)
  const listeners: (() => void)[] = []
  let lost: string | undefined
  const words = (error: Error | undefined): string | undefined =>
    error && isSilence(error) ? `no answer for ${String(patience(target.settings))} s` : error?.message
  const gone = (reason?: string): void => {
    if (lost !== undefined) return
    // The end of the program that carried it says more than what followed from it.
    const program = link.setback()?.problem.message.replace(`${target.name}: `, '')
    lost = program ?? words(trouble()) ?? reason ?? 'it was closed by the other side'
    channels.shut(new Error(lost))
    for (const listener of listeners) listener()
    // Half of it may still stand: after nonsense from the other side ssh2 only stops talking.
    link.hangUp()
  }
  client.on('end', () => gone())
  client.on('close', () => gone())
  client.on('error', () => gone())
  if (link.stream.destroyed) gone()
  return {
    client,
    target,
    channels,
    lost: () => lost,
    get silent() {
      const error = trouble()
      return error !== undefined && isSilence(error)
    },
    onLost(listener) {
      if (lost === undefined) listeners.push(listener)
      else listener()
    },
    abandon: gone,
    async close() {
      if (lost !== undefined) return
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_TIMEOUT)
      })
      const closed = new Promise<void>((resolve) => link.stream.once('close', () => resolve()))
      client.end()
      await Promise.race([closed, late])
      clearTimeout(timer)
      link.hangUp()
    },
  }
}
