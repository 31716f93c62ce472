import { randomBytes } from 'node:crypto'
import { type CommandOptions, Problem, redact, type ShellScope, terminalMissing } from '@deployfile/core'
import type { Ending, Transport } from '../transport.ts'
import { commandFailed, commandStopped, connectionLost } from './failure.ts'
import { MARK } from './launch.ts'
import { endOrder } from './leftover.ts'
import type { Order } from './order.ts'
import { perform } from './perform.ts'
import { quote, quotePath } from './quote.ts'
import { createReport } from './report.ts'
import type { Shared } from './shared.ts'
import { merge, under } from './under.ts'

/** Options of a command that a person at a terminal has no use for. */
const USELESS = ['input', 'output', 'secrets', 'timeout', 'idle'] as const

/** Tenths of a second that what must go has for it, once it was told. */
const GRACE = 10

/** @throws Problem `COMMAND_OPTIONS` (usage), and those of `under` */
export function attachOrder(options: CommandOptions, sh: string): Order {
  const useless = USELESS.find((key) => options[key] !== undefined)
  if (useless !== undefined) {
    throw new Problem(
      'usage',
      'COMMAND_OPTIONS',
      `attach takes no ${useless}: a person types and reads there`,
      {
        hint: 'It takes cwd, env, umask and user. A secret can be put into a file first, with writeFile and the mode 0o600.',
      },
    )
  }
  const lines = sh.trim().split('\n')
  const text = lines.length === 1 ? sh : `${lines[0] ?? ''} … (${String(lines.length)} lines)`
  return under(merge(options, {}), { text, sh, reads: false })
}

/**
 * Runs an order on the terminal of whoever started the run. Nothing of what is typed or printed is told.
 * @throws Problem `TERMINAL_MISSING`, `TERMINAL_SHARED` (check), `SECRET_IN_COMMAND` (usage), `COMMAND_FAILED`, `COMMAND_CANCELLED`,
 * `CONNECTION_LOST` (task), and those of connecting
 */
export async function attach(
  order: Order,
  transport: Transport,
  scope: ShellScope,
  shared: Shared,
): Promise<void> {
  const { host } = transport
  const { lendTerminal, signal } = scope
  if (!lendTerminal) throw terminalMissing(`${host.name}: ${order.text}`)
  const mark = randomBytes(8).toString('hex')
  const sh = attachedSh(order, transport, mark)
  if (redact(sh) !== sh) throw secretVisible(host.name, redact(order.text))
  const quiet: ShellScope = { signal, emit: () => undefined }
  // Whatever has to be asked, and most of what can be refused, comes while the screen still shows the run.
  const { user: _, ...plain } = order
  const probe = await perform({ ...plain, sh: ':', reads: true }, transport, quiet, shared)
  if (probe.ending.exitCode !== 0) throw commandFailed(probe.facts, probe.ending)

  let broken: Error | undefined
  const report = createReport(order, host.name, scope, shared, (error) => {
    broken ??= error instanceof Error ? error : new Error(String(error))
  })
  let ending: Ending | undefined
  // It may not listen when its terminal goes, and here it has no group of its own that could be told.
  const end = (): void => {
    const trace = { mark, text: order.text, user: order.user, pid: undefined, session: undefined }
    const over: ShellScope = { signal: AbortSignal.timeout(GRACE * 300), emit: () => undefined }
    perform({ ...endOrder([trace], GRACE), urgent: true }, transport, over, shared).catch(() => undefined)
  }
  report.started()
  try {
    ending = await lendTerminal(async () => {
      if (signal.aborted) return undefined
      signal.addEventListener('abort', end, { once: true })
      return transport.attach({ sh, args: [] }, signal)
    })
  } finally {
    signal.removeEventListener('abort', end)
    report.ended(ending)
  }
  const facts = report.facts()
  if (broken) throw broken
  if (!ending) throw commandStopped('cancelled', facts, undefined, 'not started')
  if (signal.aborted) throw commandStopped('cancelled', facts, ending, 'nothing')
  if (ending.lost !== undefined) throw connectionLost(facts, ending.lost, true)
  if (ending.exitCode !== 0) throw commandFailed(facts, ending)
}

/** All of it as an argument: standard input is the terminal. */
function attachedSh({ sh, setup, user }: Order, { host }: Transport, mark: string): string {
  const path = host.path ?? []
  const inner = [
    `export ${MARK}=${mark}`,
    ...(path.length === 0 ? [] : [`export PATH=${path.map(quotePath).join(':')}:"$PATH"`]),
    ...(setup === undefined ? [] : [setup]),
    // Keys that interrupt are for the program, and sh would end with it. A program that sh starts has them as ever.
    'trap : INT QUIT',
    sh,
  ].join('\n')
  if (user !== undefined) return `exec sudo -H -u ${quote(user)} -- sh -c ${quote(inner)}`
  if (host.login !== true) return inner
  // An interactive shell here would take the terminal for a group of its own, and keep it.
  const how = host.transport === 'local' ? '-lc' : '-ilc'
  return [
    `export DEPLOYFILE_ATTACH=${quote(inner)}`,
    'shell=${SHELL:-/bin/sh}',
    `case $shell in *csh) how=-ic ;; *) how=${how} ;; esac`,
    `exec "$shell" $how 'exec sh -c "$DEPLOYFILE_ATTACH"'`,
  ].join('\n')
}

function secretVisible(host: string, text: string): Problem {
  return new Problem('usage', 'SECRET_IN_COMMAND', `${host}: ${text} has a secret in its text`, {
    hint: 'What has a terminal is shown with its arguments in the list of processes: put the secret into a file first, with writeFile and the mode 0o600.',
  })
}
