import type { Writable } from 'node:stream'
import {
  type CommandOptions,
  type CommandOutput,
  Problem,
  type Shell,
  type ShellScope,
  type ShellValue,
} from '@deployfile/core'
import { attach, attachOrder } from './command/attach.ts'
import type { Done } from './command/done.ts'
import { commandFailed } from './command/failure.ts'
import { type Order, program, script } from './command/order.ts'
import { perform } from './command/perform.ts'
import type { Shared } from './command/shared.ts'
import { compose } from './command/template.ts'
import { merge, under } from './command/under.ts'
import { openForwarding } from './forward/forwarding.ts'
import type { FilesMemory } from './transfer/files.ts'
import { createFiles } from './transfer/shell-or-sftp.ts'
import type { Transport } from './transport.ts'

export interface ShellParts {
  readonly transport: Transport
  readonly scope: ShellScope
  readonly shared: Shared
  /** Where local paths of uploads and downloads start. */
  readonly root: string
  readonly defaults: CommandOptions
  readonly memory: FilesMemory
}

/** All of core's Shell, as POSIX sh over a transport. */
export function createShell(parts: ShellParts): Shell {
  const { transport, scope, shared, root, defaults } = parts
  const host = transport.host

  const attempt = (order: Order, options: CommandOptions = {}): Promise<Done> =>
    perform(under(merge(defaults, options), order), transport, scope, shared)
  const succeed = async (order: Order, options: CommandOptions = {}): Promise<CommandOutput> => {
    const { output } = merge(defaults, options)
    try {
      const done = await attempt(order, options)
      if (done.ending.exitCode !== 0) throw commandFailed(done.facts, done.ending)
      const { stdout, stderr, truncated, durationMs } = done
      return { stdout, stderr, truncated, durationMs }
    } catch (error) {
      if (output) spoil(output, error)
      throw error
    }
  }
  const ask = async (order: Order): Promise<Done> => {
    if (defaults.output) {
      throw new Problem(
        'usage',
        'COMMAND_OPTIONS',
        `${order.text}: capture and test give their answer themselves, not to an output`,
        {
          hint: 'Use sh, run or script with output.',
        },
      )
    }
    return attempt(order)
  }
  // The folder, the mask and the user apply to files too; environment and input are for commands.
  const { cwd, umask, user } = defaults
  const { sftp } = transport
  const files = createFiles({
    host: host.name,
    root,
    place: {
      ...(cwd !== undefined && { cwd }),
      ...(umask !== undefined && { umask }),
      ...(user !== undefined && { user }),
    },
    memory: parts.memory,
    emit: (event) => scope.emit(event),
    run: (order, signal) =>
      perform(order, transport, signal ? { signal, emit: () => undefined } : scope, shared),
    sftp: sftp && (() => sftp(scope.signal)),
  })
  const refuseBadOptions = (options: CommandOptions): CommandOptions => {
    // Composed once here so that a bad name fails where it was written, not at the first command.
    under(options, { text: '', sh: '', reads: true })
    return options
  }

  return {
    host,
    async sh(strings: TemplateStringsArray, ...values: ShellValue[]) {
      const text = compose(strings, values)
      return succeed({ text, sh: text, reads: false })
    },
    async capture(strings: TemplateStringsArray, ...values: ShellValue[]) {
      const text = compose(strings, values)
      const done = await ask({ text, sh: text, reads: true })
      if (done.ending.exitCode !== 0) throw commandFailed(done.facts, done.ending)
      if (!done.whole) throw tooMuch(done, '1 MiB', 'Use downloadFile, or narrow it with grep, head or tail.')
      return done.stdout.replace(/\n+$/, '')
    },
    async test(strings: TemplateStringsArray, ...values: ShellValue[]) {
      const text = compose(strings, values)
      return truth(await ask({ text, sh: text, reads: true }))
    },
    async run(file, args = [], options = {}) {
      return succeed(program(file, args), options)
    },
    async script(text, values = [], options = {}) {
      return succeed(script(text, values), options)
    },
    async attach(strings: TemplateStringsArray, ...values: ShellValue[]) {
      await attach(attachOrder(defaults, compose(strings, values)), transport, scope, shared)
    },
    with(options) {
      return createShell({ ...parts, defaults: merge(defaults, refuseBadOptions(options)) })
    },
    forward: (to, options = {}) => openForwarding({ transport, shared }, to, options),
    ...files,
  }
}

/** Whoever reads on from there must not take half of the output for all of it. */
function spoil(output: Writable, error: unknown): void {
  if (output === process.stdout || output === process.stderr || output.destroyed) return
  output.on('error', () => undefined)
  output.destroy(error instanceof Error ? error : new Error(String(error)))
}

function truth(done: Done): boolean {
  if (done.ending.exitCode === 0) return true
  if (done.ending.exitCode === 1) return false
  throw commandFailed(done.facts, done.ending)
}

function tooMuch(done: Done, limit: string, hint: string): Problem {
  return new Problem(
    'task',
    'OUTPUT_TOO_LONG',
    `${done.facts.host}: ${done.facts.text} gave more than ${limit}`,
    { host: done.facts.host, hint },
  )
}
