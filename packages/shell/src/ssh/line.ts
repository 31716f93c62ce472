import { basename } from 'node:path'
import { quote } from '../command/quote.ts'
import type { Start } from '../transport.ts'

/** Linux allows 128 KiB for one argument (MAX_ARG_STRLEN), and the login shell is given all of it as one. */
const ROOM = 64 * 1024
/** Encoded it grows up to five times, and csh takes words of 8 KiB. */
const ROOM_ENCODED = 4 * 1024

/** Their single quotes are those of POSIX. fish knows backslashes in them, csh exclamation marks, and no line break. */
const POSIX = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'ksh93', 'mksh', 'ash', 'busybox'])

/** @param shell the login shell, undefined while it is not known */
export function roomOf(shell: string | undefined): number {
  return isPosix(shell) ? ROOM : ROOM_ENCODED
}

/** The line that the login shell is given: all it has to do is start sh. */
export function loginLine({ sh, args, stdin }: Start, shell: string | undefined): string {
  const input = stdin === 'none' ? ' </dev/null' : ''
  if (isPosix(shell)) return `exec sh -c ${[sh, 'sh', ...args].map(quote).join(' ')}${input}`
  const whole = args.length === 0 ? sh : `set -- ${args.map(quote).join(' ')}\n${sh}`
  return `exec sh -c 'exec sh -c "$(printf %b "$1")" sh' sh '${encoded(whole)}'${input}`
}

function isPosix(shell: string | undefined): boolean {
  return shell !== undefined && POSIX.has(basename(shell))
}

/** In letters that every shell leaves alone between single quotes: all others as `\0ooo`, which printf reads. */
function encoded(text: string): string {
  let result = ''
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte)
    result +=
      byte < 0x20 || byte > 0x7e || `\\'!`.includes(char) ? `\\0${byte.toString(8).padStart(3, '0')}` : char
  }
  return result
}
