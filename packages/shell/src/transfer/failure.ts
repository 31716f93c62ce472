import { Problem, type ProblemDetails } from '@deployfile/core'
import { commandFailed } from '../command/failure.ts'
import { readable } from '../command/order.ts'
import type { Done } from '../command/done.ts'

/** As in "it cannot be read". */
export type Deed = 'read' | 'written' | 'made' | 'removed' | 'renamed'

/** What our scripts end with when they refuse; the last line of standard error then says why (numbers of sysexits.h). */
export const REFUSED = { program: 69, missing: 72, wrongKind: 73, broken: 74, remove: 77 } as const

const CODES: Readonly<Record<number, string>> = {
  [REFUSED.program]: 'PROGRAM_MISSING',
  [REFUSED.missing]: 'FILE_MISSING',
  [REFUSED.wrongKind]: 'WRONG_KIND',
  [REFUSED.broken]: 'TRANSFER_BROKEN',
  [REFUSED.remove]: 'REMOVE_REFUSED',
}

/** sh: `refuse STATUS REASON`. Messages of programs are read below, so that they must not be translated. */
export const REFUSE = `export LC_ALL=C
refuse() { echo "$2" >&2; exit "$1"; }`

interface Kind {
  readonly code: string
  readonly reason: string
  /** Of programs under LC_ALL=C: GNU, BSD, busybox and dash have words of their own. */
  readonly said: RegExp
  readonly errno: readonly string[]
}

const KINDS: readonly Kind[] = [
  {
    code: 'NO_SPACE',
    reason: 'no space is left for it',
    said: /no space left|quota exceeded|file too large|file ?size limit|wrote only/i,
    errno: ['ENOSPC', 'EDQUOT', 'EFBIG'],
  },
  {
    code: 'PERMISSION_DENIED',
    reason: 'permission denied',
    said: /permission denied|operation not permitted|read-only file ?system/i,
    errno: ['EACCES', 'EPERM', 'EROFS'],
  },
  {
    code: 'WRONG_KIND',
    reason: 'something of another kind is in its place',
    said: /is a directory|not a directory|file exists|directory not empty|cannot overwrite|are the same file/i,
    errno: ['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY'],
  },
  {
    code: 'TRANSFER_BROKEN',
    reason: 'it was changed while it was being read',
    said: /changed as we read it|removed before we read it|shrank by/i,
    errno: [],
  },
  {
    code: 'TRANSFER_BROKEN',
    reason: 'it arrived cut off',
    said: /unexpected e(of|nd of)/i,
    errno: [],
  },
  {
    code: 'FILE_MISSING',
    reason: 'there is no such file or folder',
    said: /no such file|nonexistent directory|directory nonexistent/i,
    errno: ['ENOENT'],
  },
]

/** SIGXFSZ, by which a limit of the login's (`ulimit -f`) ends a program without a word. */
const OVER_LIMIT = 128 + 25

/** Why a script on files did not end well: one code for each kind of reason, else that of any command. */
export function fileFailed(done: Done, path: string, deed: Deed): Problem {
  const { facts, ending } = done
  const exitCode = ending.exitCode ?? -1
  const own = CODES[exitCode]
  const said = facts.tail.at(-1) ?? ''
  if (own !== undefined && said !== '') {
    const message =
      own === 'REMOVE_REFUSED' ? `${facts.host}: ${said}` : whole(`${facts.host}: ${path}`, deed, said)
    return problem(own, message, path, done)
  }
  const kind = KINDS.find(({ said }) => facts.tail.some((line) => said.test(line)))
  if (kind) {
    const reason = reasonOf(kind, facts.tail)
    return problem(kind.code, whole(`${facts.host}: ${path}`, deed, reason), path, done)
  }
  if (exitCode === OVER_LIMIT) {
    const reason = 'it is larger than files of this login may be (ulimit -f)'
    return problem('NO_SPACE', whole(`${facts.host}: ${path}`, deed, reason), path, done)
  }
  return commandFailed(facts, ending)
}

/** The same for a file of this machine. */
export function localFault(path: string, deed: Deed, cause: unknown): Problem {
  const { code = '' } = cause as { readonly code?: unknown }
  const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n')
  // A system error has a code; a tar that was started here only says what is wrong.
  const kind =
    KINDS.find(({ errno }) => errno.includes(String(code))) ??
    KINDS.find(({ said }) => lines.some((line) => said.test(line)))
  const reason = kind ? reasonOf(kind, lines) : (lines[0] ?? '')
  const message = whole(`this machine: ${path}`, deed, reason)
  return new Problem('task', kind?.code ?? 'LOCAL_FILE', message, {
    path,
    hint: hint(kind?.code, path),
    ...again(kind?.code),
    cause,
  })
}

// tar names what is meant inside of a tree.
function reasonOf(kind: Kind, lines: readonly string[]): string {
  const line = lines.find((line) => kind.said.test(line)) ?? ''
  const inside = /^\S*tar: (.+)$/.exec(line)?.[1]
  return inside === undefined ? kind.reason : `${kind.reason} (${inside})`
}

/** The same for a file of a host where nobody can be asked but by number. */
export function remoteFault(host: string, path: string, deed: Deed, errno: string, cause?: unknown): Problem {
  const kind = KINDS.find((kind) => kind.errno.includes(errno))
  const said = cause instanceof Error ? cause.message : 'the server refuses it'
  return new Problem(
    'task',
    kind?.code ?? 'REMOTE_FILE',
    whole(`${host}: ${path}`, deed, kind?.reason ?? said),
    { host, path, hint: hint(kind?.code, path, host), ...again(kind?.code), cause },
  )
}

/** A refusal of ours on this machine, or of what came from `host`. */
export function refused(code: string, message: string, details: ProblemDetails): Problem {
  return new Problem('task', code, message, {
    hint: hint(code, details.path ?? ''),
    ...again(code),
    ...details,
  })
}

function whole(place: string, deed: Deed, reason: string): string {
  return `${place} cannot be ${deed}: ${reason}`
}

function problem(code: string, message: string, path: string, { facts, ending }: Done): Problem {
  const command = {
    text: facts.text,
    exitCode: ending.exitCode,
    signal: ending.signal,
    tail: facts.tail,
    ...(facts.output && { output: facts.output }),
  }
  return new Problem('task', code, message, {
    host: facts.host,
    path,
    hint: hint(code, path, facts.host),
    ...again(code),
    command,
  })
}

/** Whether the same again may work. What was changed on its way may arrive next time; the rest stays as it is until somebody acts. */
function again(code: string | undefined): Pick<ProblemDetails, 'retryable'> {
  return code === undefined ? {} : { retryable: code === 'TRANSFER_BROKEN' }
}

/** As one would type it: `~/` keeps its meaning, and a leading dash is none of an option. */
function typed(path: string): string {
  if (path.startsWith('~/')) return `~/${readable(path.slice(2))}`
  return readable(path.startsWith('-') ? `./${path}` : path)
}

function hint(code: string | undefined, path: string, host?: string): string | undefined {
  const there = host === undefined ? '' : ` on ${host}`
  const name = typed(path)
  const folder = typed(path.replace(/\/+[^/]*\/*$/, '') || (path.startsWith('/') ? '/' : '.'))
  switch (code) {
    case 'NO_SPACE':
      return `Nothing was put in its place. Make room${there}: df -h ${folder}; df -i ${folder}`
    case 'PERMISSION_DENIED':
      return `See who may${there}: ls -ld ${folder} ${name}; id`
    case 'WRONG_KIND':
      return `It was left as it is. Look${there}: ls -ld ${name}`
    case 'FILE_MISSING':
      return `Look what is there${there}: ls -la ${folder}`
    case 'TRANSFER_BROKEN':
      return 'Nothing was kept of it. Try again; if it happens again, something writes to the source meanwhile.'
    case 'PROGRAM_MISSING':
      return `Install it${there}.`
    default:
      return undefined
  }
}
