import type { Readable, Writable } from 'node:stream'
import type { Secret } from '@deployfile/core'
import { passable, quote } from './quote.ts'

export type Input = string | Uint8Array | Secret | AsyncIterable<string | Uint8Array> | Readable

/** A command as data, before it is started anywhere. */
export interface Order {
  /** For people: what would be typed. */
  readonly text: string
  /** POSIX sh. */
  readonly sh: string
  /** Its positional parameters, $1 …. */
  readonly args?: readonly string[]
  /** POSIX sh that comes before it: the folder, the environment. */
  readonly setup?: string
  /** Travels on standard input where that is free, so that no list of processes shows it. */
  readonly hidden?: boolean
  /** Changes nothing. */
  readonly reads: boolean
  /** Its standard output is content, not messages: no event carries it. */
  readonly silent?: boolean
  readonly input?: Input
  /** Takes standard output with back-pressure instead of the capture; ended when the command succeeds. */
  readonly into?: Writable
  /** Bytes kept of each stream; default 1 MiB. */
  readonly capture?: number
  /** Milliseconds. */
  readonly timeout?: number
  readonly idle?: number
  /** By sudo. */
  readonly user?: string
  readonly secrets?: Readonly<Record<string, Secret>>
  readonly pty?: boolean
  /** As it was given; for messages. */
  readonly cwd?: string
  /** Not even its errors are told, because they are no news: what an interactive shell says of having no terminal. */
  readonly mute?: boolean
  /** Not in the login shell's environment. */
  readonly bare?: boolean
  /** Ends what a lost one left: does not wait for itself. */
  readonly clears?: boolean
  /** Ours, about another command: waits for no free channel, and nothing is told of it. */
  readonly urgent?: boolean
}

/** One program, found by PATH, with exactly these arguments. @throws Problem `VALUE_UNQUOTABLE`, `SECRET_IN_COMMAND` (usage) */
export function program(file: string, args: readonly (string | number)[]): Order {
  const words = [file, ...args].map((word) => passable(typeof word === 'number' ? String(word) : word))
  // `$0` is 'sh' for every command, so that the words are "$@" on every side.
  return { text: words.map(readable).join(' '), sh: 'exec "$@"', args: words, reads: false }
}

/** A script under `sh -eu`. @throws Problem `VALUE_UNQUOTABLE`, `SECRET_IN_COMMAND` (usage) */
export function script(text: string, values: readonly string[]): Order {
  const lines = passable(text).trim().split('\n')
  const shown = `${lines[0] ?? ''}${lines.length > 1 ? ` … (${String(lines.length)} lines)` : ''}`
  return {
    text: shown,
    sh: `set -eu\n${text}`,
    args: values.map((value) => passable(value)),
    reads: false,
    hidden: true,
  }
}

/** Words of plain letters stay as they are, so that logs read like typed commands. */
export function readable(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : quote(word)
}

/** As an event shows it. */
export function shownText(order: Order): string {
  return order.user === undefined ? order.text : `as ${order.user}: ${order.text}`
}
