import { resolve } from 'node:path'
import { type CommandEvent, type FileOptions, Problem, type Shell } from '@deployfile/core'
import { commandFailed } from '../command/failure.ts'
import { type Order, readable } from '../command/order.ts'
import type { Done } from '../command/perform.ts'
import {
  existsOrder,
  fileMode,
  mkdirOrder,
  READ_LIMIT,
  readOrder,
  removeOrder,
  renameOrder,
  symlinkOrder,
} from './entry.ts'
import { contentOf, contentOfText, landing, localFile, meter, receiveOrder, sendOrder } from './file.ts'
import { progress } from './progress.ts'
import { checkTree, treeUpload } from './tree.ts'

export type Files = Pick<
  Shell,
  | 'readFile'
  | 'writeFile'
  | 'exists'
  | 'mkdir'
  | 'remove'
  | 'symlink'
  | 'rename'
  | 'uploadFile'
  | 'uploadDir'
  | 'downloadFile'
>

/** What the files of a shell need of it. */
export interface FilesParts {
  readonly host: string
  /** Where local paths start. */
  readonly root: string
  readonly umask: number | undefined
  emit(event: CommandEvent): void
  /**
   * Runs an order in the shell's folder, under its umask; resolves with whatever status it had. `signal`: in place of the shell's
   * own, which may be why there is something to clear away.
   */
  perform(order: Order, signal?: AbortSignal): Promise<Done>
}

export function createFiles({ host, root, umask, emit, perform }: FilesParts): Files {
  const succeed = async (order: Order): Promise<Done> => {
    const done = await perform(order)
    if (done.ending.exitCode !== 0) throw commandFailed(done.facts, done.ending)
    return done
  }
  return {
    async readFile(path) {
      const done = await succeed(readOrder(path))
      if (done.truncated || Buffer.byteLength(done.stdout) > READ_LIMIT) {
        throw new Problem(
          'task',
          'OUTPUT_TOO_LONG',
          `${done.facts.host}: ${done.facts.text} gave more than 16 MiB`,
          { host: done.facts.host, hint: 'Use downloadFile for large files.' },
        )
      }
      return done.stdout
    },
    async writeFile(path, content, options) {
      const mode = fileMode(options, umask)
      await succeed(receiveOrder(`cat > ${readable(path)}`, path, contentOfText(content), mode, content))
    },
    async exists(path) {
      const done = await perform(existsOrder(path))
      if (done.ending.exitCode === 0) return true
      if (done.ending.exitCode === 1) return false
      throw commandFailed(done.facts, done.ending)
    },
    async mkdir(path, options) {
      const mode = options?.mode ?? (umask === undefined ? 0o755 : undefined)
      await succeed(mkdirOrder(path, mode))
    },
    async remove(path) {
      await succeed(removeOrder(path))
    },
    async symlink(target, path) {
      await succeed(symlinkOrder(target, path))
    },
    async rename(from, to) {
      await succeed(renameOrder(from, to))
    },
    async uploadFile(from, to, options?: FileOptions) {
      const local = resolve(root, from)
      const content = await contentOf(local)
      const tell = progress(emit, host, to)
      const source = localFile(local)
      const metered = meter((bytes) => tell(bytes, content.size))
      source.on('error', (cause) => metered.destroy(cause))
      metered.on('close', () => source.destroy())
      source.pipe(metered)
      const mode = fileMode(options, umask)
      await succeed(receiveOrder(`upload ${readable(from)} ${readable(to)}`, to, content, mode, metered))
    },
    async uploadDir(from, to) {
      const upload = await treeUpload(resolve(root, from), to, progress(emit, host, to))
      try {
        const unpacked = await succeed(upload.unpack)
        checkTree(host, to, unpacked.stdout, upload.sum())
        await succeed(upload.publish)
      } catch (error) {
        // What cannot be removed is a hidden folder that nobody uses.
        await perform(upload.discard, AbortSignal.timeout(5_000)).catch(() => undefined)
        throw error
      }
    },
    async downloadFile(from, to, options) {
      const place = await landing(resolve(root, to), options?.mode ?? 0o644, progress(emit, host, from))
      try {
        await succeed(sendOrder(from, place.into))
        return await place.land()
      } catch (error) {
        await place.discard()
        throw error
      }
    },
  }
}
