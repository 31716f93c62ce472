import { type CommandFailure, Problem, type ProblemDetails } from '@deployfile/core'
import type { Ending } from '../transport.ts'
import type { Stop } from './supervise.ts'
import { NO_FOLDER } from './under.ts'

const TEXT_LIMIT = 300

/** What all these messages are made from; `text`, `tail` and `output` are redacted already. */
export interface Facts {
  readonly host: string
  readonly text: string
  readonly tail: readonly string[]
  readonly output?: CommandFailure['output'] | undefined
  readonly cwd?: string | undefined
}

export function commandFailed(facts: Facts, ending: Ending): Problem {
  const outcome =
    ending.exitCode === null
      ? `was killed by ${ending.signal ?? 'a signal'}`
      : `failed with exit code ${String(ending.exitCode)}`
  const last = facts.tail.at(-1)
  return problem(
    'COMMAND_FAILED',
    facts,
    ending,
    `${facts.host}: ${short(facts.text)} ${outcome}${last === undefined ? '' : `: ${last}`}`,
    { hint: hintOf(facts, ending) },
  )
}

/** What the numbers that sh itself gives mean (XCU 2.8.2). */
function hintOf({ cwd, tail }: Facts, { exitCode, signal }: Ending): string | undefined {
  if (exitCode === 127)
    return 'A program was not found. Commands get the PATH that sshd sets, not that of a login: give its full path, or say where it is by `path` or `login: true` of the host.'
  if (exitCode === 126)
    return tail.some((line) => /argument list too long/i.test(line))
      ? 'Its arguments are longer than the system takes (128 KiB each): pass long values on standard input, by `input`.'
      : 'The file is there, but may not be run: chmod +x it, and check the first line of a script.'
  if (exitCode === NO_FOLDER && cwd !== undefined)
    return `It was to run in ${cwd}, which is missing or may not be entered.`
  if (signal === 'SIGKILL')
    return 'Nothing can refuse this signal; the system itself sends it when memory runs out (see dmesg).'
  return undefined
}

/** The link broke. `started` is false when the command certainly never ran. */
export function connectionLost(facts: Facts, reason: string, started: boolean): Problem {
  const known = started
    ? `nobody knows whether ${short(facts.text)} ran to its end`
    : `${short(facts.text)} did not start`
  return problem(
    'CONNECTION_LOST',
    facts,
    undefined,
    `${facts.host}: the connection was lost (${reason}); ${known}`,
    {
      hint: started
        ? `Look on ${facts.host} what it did before you run it again. What still runs of it is ended when this run connects there again.`
        : `Nothing of it ran: run it again when ${facts.host} answers.`,
      retryable: started ? undefined : true,
      mayHaveRun: started,
    },
  )
}

export function outputCut(facts: Facts, ending: Ending): Problem {
  return problem(
    'COMMAND_FAILED',
    facts,
    ending,
    `${facts.host}: ${short(facts.text)} ended, but something that it left in the background holds its output open`,
    { hint: 'Start background processes with: </dev/null >/dev/null 2>&1 &' },
  )
}

/** What is known of a command that was told to stop. */
export type Left = 'not started' | 'nothing' | 'unknown'

export function commandStopped(
  why: Exclude<Stop, { readonly error: unknown } | { readonly unbegun: number }>,
  facts: Facts,
  ending: Ending | undefined,
  left: Left,
): Problem {
  const state = {
    'not started': 'it had not started',
    nothing: why === 'cancelled' ? undefined : 'it was stopped',
    unknown: `it may still be running on ${facts.host}`,
  }[left]
  return problem(
    why === 'cancelled' ? 'COMMAND_CANCELLED' : 'COMMAND_TIMEOUT',
    facts,
    ending,
    `${facts.host}: ${short(facts.text)} ${whatHappened(why)}${state === undefined ? '' : `; ${state}`}`,
    { hint: stoppedHint(why, facts, left), ...(left === 'not started' && { mayHaveRun: false }) },
  )
}

function stoppedHint(
  why: Parameters<typeof commandStopped>[0],
  { host }: Facts,
  left: Left,
): string | undefined {
  const limit = typeof why === 'object' && ('timeout' in why ? 'timeout' : 'idle')
  const longer = limit && `If it may take longer, give it a larger \`${limit}\`, or none.`
  const look = left === 'unknown' && `Look on ${host} whether it still runs before you run it again.`
  return [look, longer].filter(Boolean).join(' ') || undefined
}

function whatHappened(why: Parameters<typeof commandStopped>[0]): string {
  if (why === 'cancelled') return 'was cancelled'
  return 'timeout' in why
    ? `did not end within ${String(why.timeout / 1000)} s`
    : `gave no sign of life for ${String(why.idle / 1000)} s`
}

/** Ended before its own sh spoke: the login shell, or what sshd runs in its place, did something else. */
export function notBegun(facts: Facts, ending: Ending, said: readonly string[]): Problem {
  const how =
    ending.exitCode === null
      ? `was killed by ${ending.signal ?? 'a signal'}`
      : `ended with exit code ${String(ending.exitCode)}`
  return noShell(facts, ending, said, `${how} before it ran ${short(facts.text)}`, false)
}

/** It was not heard of, and then stopped: the login waits for something, or what runs in its place never speaks (sftp-server). */
export function neverBegan(
  facts: Facts,
  ending: Ending | undefined,
  said: readonly string[],
  waited: number,
  left: Left,
): Problem {
  const unknown = left === 'unknown'
  const what = `did not run ${short(facts.text)} within ${String(waited / 1000)} s`
  return noShell(facts, ending, said, `${what}${unknown ? ', and may still do so' : ''}`, unknown)
}

function noShell(
  facts: Facts,
  ending: Ending | undefined,
  said: readonly string[],
  what: string,
  mayHaveRun: boolean,
): Problem {
  const last = said.at(-1)
  return problem(
    'LOGIN_SHELL',
    { ...facts, tail: said, output: undefined },
    ending,
    `${facts.host}: the login shell ${what}${last === undefined ? '' : `: ${last}`}`,
    {
      kind: 'check',
      hint: 'A login for deployments needs a shell that runs commands: look for `exit`, `exec` or a question in its startup files (~/.bashrc, ~/.zshenv, …) and for a forced command; try: ssh HOST true',
      mayHaveRun,
    },
  )
}

/** sudo's question: none, one whose answer it did not take, or one that is not for the password. */
export type Asked = 'nothing' | 'refused' | 'else'

/** The same for one who was to become another user. `said`: sudo's own words, in English. */
export function sudoRefused(facts: Facts, user: string, said: readonly string[], asked: Asked): Problem {
  const text = said.join('\n')
  const [message, hint] = sudoStory(text, user, asked) ?? [
    `sudo did not run ${short(facts.text)} as ${user}${said.length > 0 ? `: ${said.at(-1) ?? ''}` : ''}`,
    `Try it on ${facts.host}: sudo -n -u ${user} -- sh -c true`,
  ]
  return problem(
    'SUDO_REFUSED',
    { ...facts, tail: said, output: undefined },
    undefined,
    `${facts.host}: ${message}`,
    {
      kind: 'check',
      hint,
      retryable: false,
      mayHaveRun: false,
    },
  )
}

function sudoStory(
  text: string,
  user: string,
  asked: Asked,
): readonly [message: string, hint: string] | undefined {
  const line = `LOGIN ALL=(${user}) NOPASSWD: ALL`
  if (/must have a tty/.test(text))
    return [
      `sudo wants a terminal (requiretty) to become ${user}`,
      'Use .with({ pty: true }), or in sudoers: Defaults:LOGIN !requiretty',
    ]
  if (/unknown user/.test(text))
    return [`sudo does not know the user ${user}`, 'Make it there, or mend `user`.']
  if (/not in the sudoers file|is not allowed to (?:execute|run)|may not run sudo/.test(text))
    return [
      `sudoers does not allow this login to run sh as ${user}`,
      `Allow it with a line in /etc/sudoers.d: ${line}. Where only single programs are allowed, write them out without \`user\`: sudo -n -u ${user} PROGRAM …`,
    ]
  if (asked === 'refused')
    return [
      `sudo refused the password for ${user}`,
      'Check the host’s `sudo.password`; it is that of the login.',
    ]
  if (asked === 'else')
    return [
      `sudo asked for something else than the password to become ${user}`,
      `Allow it without one: ${line}`,
    ]
  if (/password is required|no password was provided|a terminal is required/.test(text))
    return [
      `sudo asks for a password to become ${user}, and none is configured`,
      `Give the host one, sudo: { password: secret.env('SUDO_PASSWORD') }, or allow it without: ${line} in /etc/sudoers.d`,
    ]
  if (/sudo: (?:command )?not found|sudo: not found/.test(text))
    return [`there is no sudo to become ${user} with`, 'Install sudo, or log in as that user.']
  return undefined
}

function problem(
  code: string,
  facts: Facts,
  ending: Ending | undefined,
  message: string,
  more: ProblemDetails & { readonly mayHaveRun?: boolean; readonly kind?: 'task' | 'check' },
): Problem {
  const { mayHaveRun, kind = 'task', ...details } = more
  const command: CommandFailure = {
    text: facts.text,
    exitCode: ending?.exitCode ?? null,
    signal: ending?.signal ?? null,
    tail: facts.tail,
    ...(facts.output && { output: facts.output }),
    ...(mayHaveRun !== undefined && { mayHaveRun }),
  }
  return new Problem(kind, code, message, { ...details, host: facts.host, command })
}

// One line of a message; the whole text is in the details.
function short(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  return line.length > TEXT_LIMIT ? `${line.slice(0, TEXT_LIMIT - 1)}…` : line
}
