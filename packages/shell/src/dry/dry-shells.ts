import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import ignore from 'ignore'
import {
  type CommandOptions,
  type CommandOutput,
  redact,
  type Shell,
  type ShellProvider,
  type ShellScope,
  type ShellValue,
} from '@deployfile/core'
import { attachOrder } from '../command/attach.ts'
import { commandStopped } from '../command/failure.ts'
import { type Order, program, readable, script, shownText } from '../command/order.ts'
import { compose } from '../command/template.ts'
import { merge, under } from '../command/under.ts'
import { mkdirOrder, octal, removeOrder, renameOrder, symlinkOrder } from '../transfer/entry.ts'
import { localPath } from '../transfer/local-path.ts'
import { walk } from '../transfer/walk.ts'

/**
 * The shells of a dry run: what only reads is done (`capture`, `test`, `readFile`, `exists`, and `sh`, `run` and `script` with
 * `reads: true`); what writes, here or there, is not, but told as `command.skipped` with the values that it would have had, and taken
 * to have succeeded without a word. What could not be done at all is refused as it would be.
 * @param root where local paths of uploads start, for their sizes: the folder of deploy.config.ts. Default: the working directory
 */
export function dryShells(provider: ShellProvider, root = process.cwd()): ShellProvider {
  return {
    remote: (host, scope) => dryShell({ inner: provider.remote(host, scope), scope, root, defaults: {} }),
    local: (scope) => dryShell({ inner: provider.local(scope), scope, root, defaults: {} }),
    close: () => provider.close(),
  }
}

interface Parts {
  readonly inner: Shell
  readonly scope: ShellScope
  readonly root: string
  readonly defaults: CommandOptions
}

function dryShell(parts: Parts): Shell {
  const { inner, scope, root, defaults } = parts
  const host = inner.host.name

  const skip = (order: Order): void => {
    const text = redact(
      order.cwd === undefined ? shownText(order) : `cd ${readable(order.cwd)} && ${shownText(order)}`,
    )
    if (scope.signal.aborted)
      throw commandStopped('cancelled', { host, text, tail: [] }, undefined, 'not started')
    scope.emit({ type: 'command.skipped', host, text })
  }
  const command = async (
    order: Order,
    options: CommandOptions,
    really: () => Promise<CommandOutput>,
  ): Promise<CommandOutput> => {
    const whole = merge(defaults, options)
    const given = under(whole, order)
    if (whole.reads === true) return really()
    skip(given)
    if (given.input instanceof Readable) given.input.destroy()
    const { output } = whole
    if (output && output !== process.stdout && output !== process.stderr)
      await new Promise<void>((done) => output.end(done))
    return NOTHING
  }
  // The folder and the user count for files, and a bad one is as bad here.
  const { cwd, user } = defaults
  const place = { ...(cwd !== undefined && { cwd }), ...(user !== undefined && { user }) }
  const file = async (order: Order): Promise<void> => {
    skip(under(place, order))
    await Promise.resolve()
  }
  const shown = (text: string): Order => ({ text, sh: '', reads: false })

  return {
    host: inner.host,
    async sh(strings: TemplateStringsArray, ...values: ShellValue[]) {
      const text = compose(strings, values)
      return command({ text, sh: text, reads: false }, {}, () => inner.sh(strings, ...values))
    },
    capture: (strings, ...values) => inner.capture(strings, ...values),
    test: (strings, ...values) => inner.test(strings, ...values),
    async run(name, args = [], options = {}) {
      return command(program(name, args), options, () => inner.run(name, args, options))
    },
    async script(text, values = [], options = {}) {
      const order = script(text, values)
      const whole = [text.trim(), ...values.map(readable)].join(' ')
      return command({ ...order, text: whole }, options, () => inner.script(text, values, options))
    },
    async attach(strings: TemplateStringsArray, ...values: ShellValue[]) {
      const order = attachOrder(defaults, compose(strings, values))
      skip({ ...order, text: `${order.text} (on the terminal)` })
      await Promise.resolve()
    },
    with: (options) => dryShell({ ...parts, inner: inner.with(options), defaults: merge(defaults, options) }),
    // What goes through it is another shell's to hold back.
    forward: (to, options) => inner.forward(to, options),
    readFile: (path) => inner.readFile(path),
    exists: (path) => inner.exists(path),
    async writeFile(path, content, options) {
      const mode = options?.mode === undefined ? '' : ` (mode ${octal(options.mode)})`
      await file(shown(`write ${counted(Buffer.byteLength(content))} to ${readable(path)}${mode}`))
    },
    mkdir: async (path, options) => file(mkdirOrder(path, options?.mode)),
    remove: async (path) => file(removeOrder(path)),
    symlink: async (target, path) => file(symlinkOrder(target, path)),
    rename: async (from, to) => file(renameOrder(from, to)),
    async uploadFile(from, to) {
      const size = await stat(localPath(root, from, to)).then(
        (found) => counted(found.size),
        () => NOT_YET,
      )
      await file(shown(`upload ${readable(from)} ${readable(to)} (${size})`))
    },
    async uploadDir(from, to, options) {
      const size = await treeSize(localPath(root, from, to), options?.exclude ?? [])
      await file(shown(`upload -r ${readable(from)} ${readable(to)} (${size})`))
    },
    async downloadFile(from, to) {
      await file(shown(`download ${readable(from)} ${readable(to)}`))
      return 0
    },
    async downloadDir(from, to) {
      await file(shown(`download -r ${readable(from)} ${readable(to)}`))
      return 0
    },
  }
}

const NOTHING: CommandOutput = { stdout: '', stderr: '', truncated: false, durationMs: 0 }

/** What an earlier step would have made. */
const NOT_YET = 'not there yet'

async function treeSize(root: string, exclude: readonly string[]): Promise<string> {
  const found = await stat(root).catch(() => undefined)
  if (!found) return NOT_YET
  const patterns = ignore().add(exclude)
  const entries = await walk(root, (path) => patterns.ignores(path))
  const files = entries.filter(({ folder }) => !folder)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${counted(bytes)}`
}

function counted(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes} bytes`
}
