import { MARK } from './launch.ts'
import { type Order, readable } from './order.ts'

/** How a command that was started is known on its machine. */
export interface Trace {
  readonly mark: string
  readonly text: string
  readonly user: string | undefined
  /** Undefined until it has spoken. */
  readonly pid: number | undefined
  readonly session: string | undefined
}

/** What an order about traces says by its exit code. Any other: nobody knows. */
export const NOTHING_LEFT = 0
const SOME_LEFT = 1
/** Without /proc: the process group was sent the signal. */
export const NOT_SEEN = 3

// `members MARK SESSION PID`: the command's processes. Those of its session when one of them carries its mark, so that a number that
// was given to somebody else meanwhile is never taken for it; without a session those that carry the mark. What has made itself a
// session of its own (setsid, a daemon) is none of them. The brackets keep grep from finding itself.
const MEMBERS = `members() {
  mark=[${MARK.slice(0, 1)}]${MARK.slice(1)}=$1 session=$2 found=
  if [ -z "$session" ]; then
    members=$(grep -ls "$mark" /proc/[0-9]*/environ /proc/[0-9]*/cmdline | cut -d/ -f3 | sort -u)
    return
  fi
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$file"; } 2>/dev/null || continue
    set -- \${line##*) }
    [ "$4" = "$session" ] || continue
    case $1 in Z|X) continue ;; esac
    file=\${file%/stat}
    found="$found \${file#/proc/}"
  done
  members=
  for pid in $found; do
    if grep -qs "$mark" "/proc/$pid/environ" "/proc/$pid/cmdline"; then members=$found; return; fi
  done
}
send() { [ -z "$members" ] || kill -s "$1" $members 2>/dev/null || :; }`

// `finish GRACE MARK SESSION PID`: TERM, after GRACE tenths of a second KILL.
const FINISH = `gone() {
  tries=$1
  shift
  while members "$@"; [ -n "$members" ]; do
    [ "$tries" -gt 0 ] || return 1
    tries=$((tries - 1))
    sleep 0.1 2>/dev/null || { sleep 1; tries=$((tries - 9)); }
  done
}
finish() {
  grace=$1
  shift
  members "$@"
  [ -n "$members" ] || return 0
  if [ "$grace" -gt 0 ]; then
    send TERM
    if gone "$grace" "$@"; then return 0; fi
  fi
  send KILL
  gone 10 "$@"
}`

/** Sends a signal, and does not wait for what it does. */
export function signalOrder(trace: Trace, name: 'TERM' | 'KILL'): Order {
  return order([trace], `${byGroup([trace], name)}\n${MEMBERS}\nmembers ${words(trace)}\nsend ${name}`, 3_000)
}

/** Ends what there is of them, all at once. They must be of one user. */
export function endOrder(traces: readonly Trace[], grace: number): Order {
  const sh = [
    byGroup(traces, 'KILL'),
    MEMBERS,
    FINISH,
    'pids=',
    ...traces.map((trace) => `finish ${String(grace)} ${words(trace)} & pids="$pids $!"`),
    `status=${String(NOTHING_LEFT)}`,
    `for pid in $pids; do wait "$pid" || status=${String(SOME_LEFT)}; done`,
    'exit "$status"',
  ].join('\n')
  return order(traces, sh, 5_000 + 100 * grace)
}

function words({ mark, session = '', pid }: Trace): string {
  return `${mark} '${session}' '${String(pid ?? '')}'`
}

/** For machines without /proc: the process group, unseen. */
function byGroup(traces: readonly Trace[], name: string): string {
  const kills = traces.flatMap(({ pid }) =>
    pid === undefined ? [] : [`kill -s ${name} -- -${String(pid)} 2>/dev/null;`],
  )
  return `[ -r /proc/self/stat ] || { ${kills.join(' ')} exit ${String(NOT_SEEN)}; }`
}

function order(traces: readonly Trace[], sh: string, timeout: number): Order {
  const user = traces[0]?.user
  return {
    text: `end what is left of ${traces.map(({ text }) => readable(text)).join(', ')}`,
    sh,
    reads: false,
    timeout,
    bare: true,
    ...(user !== undefined && { user }),
  }
}
