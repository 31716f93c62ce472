import type { Readable, Writable } from 'node:stream'
import { type CommandOptions, Problem } from '@deployfile/core'
import { quote, quotePath } from './quote.ts'

/** A command as data, before it is started anywhere. */
export interface Order {
  /** For people: what would be typed. */
  readonly text: string
  /** POSIX sh. */
  readonly sh: string
  /** Its positional parameters, $1 …. */
  readonly args?: readonly string[]
  /** Changes nothing. */
  readonly reads: boolean
  /** Its standard output is content, not messages: no event carries it. */
  readonly silent?: boolean
  readonly input?: string | Uint8Array | Readable
  /** Takes standard output with back-pressure instead of the capture. */
  readonly into?: Writable
  /** Bytes kept of each stream; default 1 MiB. */
  readonly capture?: number
  readonly timeout?: number
}

/** `cd` failed: a status that `test` never reads as "false". EX_NOINPUT of sysexits.h. */
const NO_FOLDER = 66

/** Linux allows 128 KiB for one argument (MAX_ARG_STRLEN), and quoting lengthens it. */
const ARGUMENT_LIMIT = 64 * 1024

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The order under `options`: its folder, umask and environment set before anything of it runs. */
export function under(options: CommandOptions, order: Order): Order {
  const lines: string[] = []
  if (options.cwd !== undefined) lines.push(`cd ${quotePath(options.cwd)} || exit ${String(NO_FOLDER)}`)
  if (options.umask !== undefined) lines.push(`umask ${options.umask.toString(8).padStart(4, '0')}`)
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (!NAME.test(name))
      throw new Problem('usage', 'ENV_NAME', `'${name}' is not a name of an environment variable`)
    lines.push(`export ${name}=${quote(value)}`)
  }
  return {
    ...order,
    sh: [...lines, order.sh].join('\n'),
    ...(options.reads === true && { reads: true }),
    ...(options.timeout !== undefined && order.timeout === undefined && { timeout: options.timeout }),
    ...(options.input !== undefined && order.input === undefined && { input: options.input }),
  }
}

/** One program, found by PATH, with exactly these arguments. */
export function program(file: string, args: readonly (string | number)[]): Order {
  const words = [file, ...args.map(String)]
  // `$0` is 'sh' for every command, so that the words are "$@" on every side.
  return { text: words.map(readable).join(' '), sh: 'exec "$@"', args: words, reads: false }
}

/**
 * A script under `sh -eu`. It travels on standard input and runs only when it has arrived whole: sh would otherwise run the half
 * that a broken link left, and half of `rm -rf /a/b` is `rm -rf /a`. With `input` it travels as an argument, up to 64 KiB.
 * @throws Problem `SCRIPT_TOO_LONG` (usage)
 */
export function script(text: string, values: readonly string[], input?: string | Uint8Array): Order {
  if (text.includes('\0')) throw new Problem('usage', 'VALUE_UNQUOTABLE', 'a script contains a NUL byte')
  const lines = text.trim().split('\n')
  const shown = `${lines[0] ?? ''}${lines.length > 1 ? ` … (${String(lines.length)} lines)` : ''}`
  const order = { text: shown, args: values, reads: false }
  if (input === undefined) return { ...order, ...onStdin(text, 'set -eu\n') }
  if (Buffer.byteLength(text) > ARGUMENT_LIMIT) {
    throw new Problem('usage', 'SCRIPT_TOO_LONG', `a script with input is limited to 64 KiB: ${shown}`, {
      hint: 'Write the input to a file with writeFile first.',
    })
  }
  return { ...order, sh: `set -eu\n${text}`, input }
}

/** What is too long for an argument goes to standard input. @throws Problem `SCRIPT_TOO_LONG` (usage) when that is taken */
export function fitted(order: Order): Order {
  const size = (words: readonly string[]): number => Buffer.byteLength(words.map(quote).join(' '))
  if (size(order.args ?? []) > ARGUMENT_LIMIT) {
    throw new Problem(
      'usage',
      'ARGUMENTS_TOO_LONG',
      `the arguments are longer than 64 KiB: ${order.text.slice(0, 80)}…`,
      {
        hint: 'Pass long values by input, or write them to a file with writeFile first.',
      },
    )
  }
  // Quoted once more on its way over SSH, where the whole command is one argument of the login shell.
  if (size([order.sh]) <= ARGUMENT_LIMIT) return order
  if (order.input !== undefined) {
    throw new Problem('usage', 'SCRIPT_TOO_LONG', 'a command with input is limited to 64 KiB', {
      hint: 'Write the long part to a file with writeFile first.',
    })
  }
  return { ...order, ...onStdin(order.sh, '') }
}

const END = '#deployfile: end of script'

function onStdin(text: string, before: string): { sh: string; input: string } {
  const load = [
    'deployfile_script=$(cat)',
    // No marker: the link broke on the way, and nobody is there to read the message.
    `case $deployfile_script in *'${END}') ;; *) echo 'the script did not arrive whole' >&2; exit 74 ;; esac`,
    `${before}eval "$deployfile_script" </dev/null`,
  ]
  return { sh: load.join('\n'), input: `${text}\n${END}` }
}

/** Words of plain letters stay as they are, so that logs read like typed commands. */
export function readable(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : quote(word)
}
