import { resolve } from 'node:path'
import {
  type CommandOptions,
  type CommandOutput,
  type FileOptions,
  Problem,
  type Shell,
  type ShellScope,
  type ShellValue,
} from '@deployfile/core'
import { commandFailed } from './command/failure.ts'
import { type Order, program, readable, script, under } from './command/order.ts'
import { type Done, perform, type Voice } from './command/perform.ts'
import { compose } from './command/template.ts'
import {
  existsOrder,
  fileMode,
  mkdirOrder,
  READ_LIMIT,
  readOrder,
  removeOrder,
  renameOrder,
  symlinkOrder,
} from './transfer/entry.ts'
import {
  contentOf,
  contentOfText,
  landing,
  localFile,
  meter,
  receiveOrder,
  sendOrder,
} from './transfer/file.ts'
import { checkTree, treeUpload } from './transfer/tree.ts'
import type { Transport } from './transport.ts'

export interface ShellParts {
  readonly transport: Transport
  readonly scope: ShellScope
  readonly voice: Voice
  /** Where local paths of uploads and downloads start. */
  readonly root: string
  readonly defaults: CommandOptions
}

/** Between two events of one transfer. */
const TELL_EVERY = 200

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
  // The folder applies to paths of files too; environment and input are for commands.
  const onFiles = (order: Order): Promise<Done> => {
    const { cwd, umask } = defaults
    const options = { ...(cwd !== undefined && { cwd }), ...(umask !== undefined && { umask }) }
    return perform(under(options, order), transport, scope, voice).then((done) => {
      if (done.ending.exitCode !== 0) throw commandFailed(done.facts, done.ending)
      return done
    })
  }
  const progress = (path: string): ((bytes: number, total?: number) => void) => {
    let last = 0
    return (bytes, total) => {
      const now = performance.now()
      if (bytes !== total && now - last < TELL_EVERY) return
      last = now
      try {
        scope.emit({ type: 'transfer', host: host.name, path, bytes, ...(total !== undefined && { total }) })
      } catch {
        // Whoever cannot listen says so again at the command's own events, which do fail it.
      }
    }
  }
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

    async readFile(path) {
      const done = await onFiles(readOrder(path))
      if (done.truncated || Buffer.byteLength(done.stdout) > READ_LIMIT)
        throw tooMuch(done, '16 MiB', 'Use downloadFile for large files.')
      return done.stdout
    },
    async writeFile(path, content, options) {
      const mode = fileMode(options, defaults.umask)
      await onFiles(receiveOrder(`cat > ${readable(path)}`, path, contentOfText(content), mode, content))
    },
    async exists(path) {
      const { cwd } = defaults
      return truth(
        await perform(under(cwd === undefined ? {} : { cwd }, existsOrder(path)), transport, scope, voice),
      )
    },
    async mkdir(path, options) {
      const mode = options?.mode ?? (defaults.umask === undefined ? 0o755 : undefined)
      await onFiles(mkdirOrder(path, mode))
    },
    async remove(path) {
      await onFiles(removeOrder(path))
    },
    async symlink(target, path) {
      await onFiles(symlinkOrder(target, path))
    },
    async rename(from, to) {
      await onFiles(renameOrder(from, to))
    },
    async uploadFile(from, to, options?: FileOptions) {
      const local = resolve(root, from)
      const content = await contentOf(local)
      const tell = progress(to)
      const source = localFile(local)
      const metered = meter((bytes) => tell(bytes, content.size))
      source.on('error', (cause) => metered.destroy(cause))
      metered.on('close', () => source.destroy())
      source.pipe(metered)
      const mode = fileMode(options, defaults.umask)
      await onFiles(receiveOrder(`upload ${readable(from)} ${readable(to)}`, to, content, mode, metered))
    },
    async uploadDir(from, to) {
      const tell = progress(to)
      const upload = await treeUpload(resolve(root, from), to, tell)
      try {
        const unpacked = await onFiles(upload.unpack)
        checkTree(host.name, to, unpacked.stdout, upload.sum())
        await onFiles(upload.publish)
      } catch (error) {
        // A new signal, because the old one may be why we are here. What cannot be removed is a hidden folder that nobody uses.
        const last: ShellScope = { signal: AbortSignal.timeout(5_000), emit: () => undefined }
        await perform(upload.discard, transport, last, voice).catch(() => undefined)
        throw error
      }
    },
    async downloadFile(from, to, options) {
      const tell = progress(from)
      const place = await landing(resolve(root, to), options?.mode ?? 0o644, tell)
      try {
        await onFiles(sendOrder(from, place.into))
        return await place.land()
      } catch (error) {
        await place.discard()
        throw error
      }
    },
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
