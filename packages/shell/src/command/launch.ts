import { redact, reveal } from '@deployfile/core'
import type { Start } from '../transport.ts'
import type { Order } from './order.ts'
import { quote, quotePath } from './quote.ts'
import { bySudo } from './sudo.ts'

/** What an order needs to know of where it is run. */
export interface Place {
  /** Its environment holds it, and its greeting: 16 hex digits that are nobody else's. */
  readonly mark: string
  /** Folders for the front of PATH. */
  readonly path: readonly string[]
  /** What a login shell exports, as POSIX sh. It may hold what nobody else should read. */
  readonly login: string | undefined
  /** sudo may ask for one. */
  readonly hasPassword: boolean
}

export interface Launch {
  readonly start: Start
  /** To be written to standard input before anything else. */
  readonly payload: Buffer | undefined
  /** The other side knows how long it is. */
  readonly counted: boolean
}

/** The variable that holds the mark; children inherit it, so that they can be found. */
export const MARK = 'DEPLOYFILE_COMMAND'

const END = '#deployfile: end of script'
const BLOCK = 4096

/**
 * How an order is started: as an argument of `sh -c` where it is short and may be seen; else `sh -c` gets a loader, and the order
 * itself travels on standard input, before the command's own input. It runs only when it has arrived whole: sh would otherwise run the
 * half that a broken link left, and half of `rm -rf /a/b` is `rm -rf /a`.
 * @param room bytes that an argument may have on its way
 */
export function launch(order: Order, place: Place, room: number): Launch {
  const { args = [], user } = order
  const pty = order.pty === true
  const stdin = order.input !== undefined || (user !== undefined && place.hasPassword)
  const open = lines(pathExport(place), order.setup, order.sh)
  const direct = wrapped(order, place, lines(greeting(place.mark), (stdin || pty) && ownInput(order), open))
  const visible = [open, ...args].every((text) => redact(text) === text)
  const private_ = place.login !== undefined || order.secrets !== undefined || !visible
  const hides = order.hidden === true && order.input === undefined && !pty
  if (!private_ && !hides && size(direct, args) <= room)
    return {
      start: { sh: direct, args, stdin: stdin ? 'pipe' : 'none', pty },
      payload: undefined,
      counted: false,
    }

  // Arguments that are too long for the way may still fit the program's own limit, which is larger.
  const inside = args.length > 0 && (!visible || size('', args) > room / 2)
  const text = lines(
    'unset deployfile_script',
    inside && `set -- ${args.map(quote).join(' ')}`,
    place.login,
    pathExport(place),
    order.setup,
    ...secretExports(order),
    order.sh,
    END,
  )
  const length = order.input !== undefined || pty ? blocks(text) * BLOCK : undefined
  const payload = Buffer.from(text)
  const load = lines(greeting(place.mark), loader(length), pty && PTY_BACK, ownInput(order), EVAL)
  return {
    start: { sh: wrapped(order, place, load, pty), args: inside ? [] : args, stdin: 'pipe', pty },
    counted: length !== undefined,
    payload:
      length === undefined ? payload : Buffer.concat([payload, Buffer.alloc(length - payload.length, '\n')]),
  }
}

// A terminal would echo what it is sent, and change its line ends; while it is sent a script, it must change nothing at all.
const PTY_QUIET = 'stty -echo -opost <&1 2>/dev/null || :'
const PTY_RAW = 'stty raw -echo <&1 2>/dev/null || :'
const PTY_BACK = 'stty sane -echo -opost <&1 2>/dev/null || :'

function wrapped(order: Order, place: Place, inner: string, raw = false): string {
  const { user, pty } = order
  const sh = user === undefined ? inner : bySudo(inner, { user, mark: place.mark, asks: place.hasPassword })
  return lines(pty === true && (raw ? PTY_RAW : PTY_QUIET), sh)
}

function lines(...all: readonly (string | false | undefined)[]): string {
  return all.filter(Boolean).join('\n')
}

/** Who it is and where, in one line of standard output. What comes before it was said by the login shell or by sudo. */
function greeting(mark: string): string {
  return [
    `export ${MARK}=${mark}`,
    // Linux: the sixth field is the session. Elsewhere nothing, and what is left of the command is known by its group.
    '{ read -r dfx dfx dfx dfx dfx deployfile_session dfx </proc/$$/stat; } 2>/dev/null || deployfile_session=',
    `printf '%s %s %s %s\\n' "$${MARK}" "$$" "$deployfile_session" "\${SHELL-}"`,
  ].join('\n')
}

/** The command's own standard input is what is left of the channel's, or nothing: not a terminal either, at which nobody sits. */
function ownInput(order: Order): string {
  return order.input === undefined ? 'exec </dev/null' : ''
}

function pathExport({ path }: Place): string {
  return path.length === 0 ? '' : `export PATH=${path.map(quotePath).join(':')}:"$PATH"`
}

function secretExports({ secrets = {} }: Order): string[] {
  return Object.entries(secrets).map(([name, secret]) => `export ${name}=${quote(reveal(secret))}`)
}

/** Without a length it is all there is. */
function loader(length: number | undefined): string {
  return lines(
    length === undefined ? 'deployfile_script=$(cat)' : exactly(length),
    // No marker: the link broke on the way, and nobody is there to read the message.
    `case $deployfile_script in *'${END}') ;; *) echo 'the script did not arrive whole' >&2; exit 74 ;; esac`,
  )
}

/** The rest is the command's own input. Byte by byte where dd cannot wait for a whole block. */
function exactly(length: number): string {
  const whole = `dd bs=${String(BLOCK)} count=${String(length / BLOCK)} iflag=fullblock 2>/dev/null`
  return `if dd count=0 iflag=fullblock </dev/null >/dev/null 2>&1; then deployfile_script=$(${whole})
else deployfile_script=$(dd bs=1 count=${String(length)} 2>/dev/null); fi`
}

function blocks(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BLOCK)
}

const EVAL = 'eval "$deployfile_script"'

/** Quoted once more on its way over SSH, where the whole command is one argument of the login shell. */
function size(sh: string, args: readonly string[]): number {
  return Buffer.byteLength([sh, ...args].map(quote).join(' '))
}
