import {
  type CommandOptions,
  type CommandOutput,
  Problem,
  type Shell,
  type ShellScope,
  type ShellValue,
} from '@deployfile/core'
import { commandFailed } from './command/failure.ts'
import { type Order, program, script, under } from './command/order.ts'
import { type Done, perform, type Voice } from './command/perform.ts'
import { compose } from './command/template.ts'
import { createFiles } from './transfer/files.ts'
import type { Transport } from './transport.ts'

export interface ShellParts {
  readonly transport: Transport
  readonly scope: ShellScope
  readonly voice: Voice
  /** Where local paths of uploads and downloads start. */
  readonly root: string
  readonly defaults: CommandOptions
  /** Temporary names on this host that are still to be taken away. */
  readonly leftBehind: Set<string>
}

/** All of core's Shell, as POSIX sh over a transport. */
export function createShell(parts: ShellParts): Shell {
  const { transport, scope, voice, root, defaults } = parts
  const host = transport.host

  const attempt = (order: Order, options: CommandOptions = {}): Promise<Done> =>
    perform(under(merge(defaults, options), order), transport, scope, voice)
  const succeed = async (order: Order, options?: CommandOptions): Promise<Done> => {
    const done = await attempt(order, options)
    if (done.ending.exitCode !== 0) throw commandFailed(done.facts, done.ending)
    return done
  }
  const { cwd, umask } = defaults
  const files = createFiles({
    host: host.name,
    root,
    place: { ...(cwd !== undefined && { cwd }), ...(umask !== undefined && { umask }) },
    leftBehind: parts.leftBehind,
    emit: (event) => scope.emit(event),
    run: (order, signal) =>
      perform(order, transport, signal ? { signal, emit: () => undefined } : scope, voice),
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
      return output(await succeed({ text, sh: text, reads: false }))
    },
    async capture(strings: TemplateStringsArray, ...values: ShellValue[]) {
      const text = compose(strings, values)
      const done = await succeed({ text, sh: text, reads: true })
      if (done.truncated)
        throw tooMuch(done, '1 MiB', 'Use downloadFile, or narrow it with grep, head or tail.')
      return done.stdout.replace(/\n+$/, '')
    },
    async test(strings: TemplateStringsArray, ...values: ShellValue[]) {
      const text = compose(strings, values)
      return truth(await attempt({ text, sh: text, reads: true }))
    },
    async run(file, args = [], options = {}) {
      return output(await succeed(program(file, args), options))
    },
    async script(text, values = [], options = {}) {
      const merged = merge(defaults, options)
      return output(await succeed(script(text, values, merged.input), options))
    },
    with(options) {
      return createShell({ ...parts, defaults: merge(defaults, refuseBadOptions(options)) })
    },
    ...files,
  }
}

function merge(defaults: CommandOptions, options: CommandOptions): CommandOptions {
  const env = { ...defaults.env, ...options.env }
  return { ...defaults, ...options, ...(Object.keys(env).length > 0 && { env }) }
}

function output(done: Done): CommandOutput {
  const { stdout, stderr, truncated, durationMs } = done
  return { stdout, stderr, truncated, durationMs }
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
