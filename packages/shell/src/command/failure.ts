import { type CommandFailure, Problem, type ProblemDetails } from '@deployfile/core'
import type { Ending } from '../transport.ts'

const TEXT_LIMIT = 300

/** What all these messages are made from; `text` and `tail` are redacted already. */
export interface Facts {
  readonly host: string
  readonly text: string
  readonly tail: readonly string[]
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
    {
      hint:
        ending.exitCode === 127
          ? 'A program was not found. Commands run without a login shell: give its full path, or set PATH by env.'
          : undefined,
    },
  )
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
      hint: started ? `Look on ${facts.host} what it did before you run it again.` : undefined,
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

/** `ending` is undefined when it did not end although it was told to, so that it may still be running. */
export function commandStopped(
  why: { readonly timeout: number } | 'cancelled',
  facts: Facts,
  ending: Ending | undefined,
  started: boolean,
): Problem {
  const what = why === 'cancelled' ? 'was cancelled' : `did not end within ${String(why.timeout / 1000)} s`
  const state = !started
    ? 'it had not started'
    : ending && ending.lost === undefined
      ? why === 'cancelled'
        ? undefined
        : 'it was stopped'
      : `it may still be running on ${facts.host}`
  return problem(
    why === 'cancelled' ? 'COMMAND_CANCELLED' : 'COMMAND_TIMEOUT',
    facts,
    ending,
    `${facts.host}: ${short(facts.text)} ${what}${state === undefined ? '' : `; ${state}`}`,
    {},
  )
}

function problem(
  code: string,
  facts: Facts,
  ending: Ending | undefined,
  message: string,
  more: ProblemDetails & { readonly mayHaveRun?: boolean },
): Problem {
  const { mayHaveRun, ...details } = more
  const command: CommandFailure = {
    text: facts.text,
    exitCode: ending?.exitCode ?? null,
    signal: ending?.signal ?? null,
    tail: facts.tail,
    ...(mayHaveRun !== undefined && { mayHaveRun }),
  }
  return new Problem('task', code, message, { ...details, host: facts.host, command })
}

// One line of a message; the whole text is in the details.
function short(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  return line.length > TEXT_LIMIT ? `${line.slice(0, TEXT_LIMIT - 1)}…` : line
}
