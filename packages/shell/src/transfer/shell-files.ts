import { isProblem, Problem } from '@deployfile/core'
import { type Order, readable } from '../command/order.ts'
import type { Done } from '../command/done.ts'
import { under } from '../command/under.ts'
import { fileDownload } from './download-file.ts'
import { persist } from './download-tries.ts'
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
import { quotePath } from '../command/quote.ts'
import { type Deed, fileFailed, localFault, refused } from './failure.ts'
import type { Files, FilesParts } from './files.ts'
import { createLeftBehind } from './left-behind.ts'
import { localPath } from './local-path.ts'
import { progress } from './progress.ts'
import type { Tree, TreePlace } from './upload-tree.ts'
import { contentOf, contentOfText, type FileUpload, fileUpload, metered } from './upload-file.ts'

/** Files where there is a shell, which is nearly everywhere: each deed is a small script. */
export function shellFiles(parts: FilesParts): Files {
  const { host, root, place, emit } = parts
  const { umask } = place
  const leftBehind = createLeftBehind(parts.memory.leftBehind, parts.run)
  const perform = (order: Order): Promise<Done> => leftBehind.run(under(place, order))
  const succeed = async (order: Order, path: string, deed: Deed): Promise<Done> => {
    const done = await perform(order)
    if (done.ending.exitCode !== 0) throw fileFailed(done, path, deed)
    return done
  }
  // Where a link broke nobody knows what the other side did about it; a cancelled command may not have been able to.
  const clearAway = async (error: unknown, discard: Order): Promise<void> => {
    if (!isProblem(error) || !UNKNOWN.includes(error.code)) return
    await leftBehind.clear(under(place, discard), error)
  }
  const receive = async ({ receive, discard }: FileUpload, path: string): Promise<void> => {
    try {
      await succeed(receive, path, 'written')
    } catch (error) {
      await clearAway(error, discard)
      throw error
    }
  }
  const whole = async (tree: Tree, over: TreePlace): Promise<void> => {
    const { treeStream } = await import('./upload-tree.ts')
    const stream = await treeStream(tree, over, progress(emit, host, over.to))
    const unpacked = await succeed(stream.unpack, over.to, 'written')
    if (unpacked.stdout.trim() !== stream.sum())
      throw refused('TRANSFER_BROKEN', `${host}: ${over.to} was not received whole`, { host, path: over.to })
  }
  /** Only what differs from a folder over there. False: one side has no rsync. */
  const alike = async (tree: Tree, over: TreePlace, like: string | undefined): Promise<boolean> => {
    if (like === undefined) return false
    const { hasRsync, rsync } = await import('./rsync.ts')
    if (!(await hasRsync())) return false
    const prepared = await succeed(over.prepare, over.to, 'written')
    if (prepared.stdout.trim() !== 'ready') return false
    const words = { like: quotePath(like), temp: over.temp }
    const end = await rsync(tree.from, tree.entries, words, progress(emit, host, over.to), perform)
    const { done, exitCode, said } = end
    const facts = { ...done.facts, tail: [...said.split('\n'), ...done.facts.tail], output: undefined }
    if (done.ending.exitCode !== 0) throw fileFailed({ ...done, facts }, over.to, 'written')
    if (exitCode !== 0) throw localFault(tree.from, 'read', new Error(said))
    return true
  }
  return {
    async readFile(path) {
      const done = await succeed(readOrder(path), path, 'read')
      if (!done.whole || Buffer.byteLength(done.stdout) > READ_LIMIT) {
        throw new Problem('task', 'OUTPUT_TOO_LONG', `${host}: ${path} is larger than 16 MiB`, {
          host,
          path,
          hint: 'Use downloadFile for large files.',
        })
      }
      return done.stdout
    },
    async writeFile(path, content, options) {
      const text = `cat > ${readable(path)}`
      await receive(fileUpload(text, path, contentOfText(content), fileMode(options, umask), content), path)
    },
    async exists(path) {
      const done = await perform(existsOrder(path))
      if (done.ending.exitCode === 0) return true
      if (done.ending.exitCode === 1) return false
      throw fileFailed(done, path, 'read')
    },
    async mkdir(path, options) {
      const mode = options?.mode ?? (umask === undefined ? 0o755 : undefined)
      await succeed(mkdirOrder(path, mode), path, 'made')
    },
    async remove(path) {
      await succeed(removeOrder(path), path, 'removed')
    },
    async symlink(target, path) {
      await succeed(symlinkOrder(target, path), path, 'written')
    },
    async rename(from, to) {
      await succeed(renameOrder(from, to), from, 'renamed')
    },
    async uploadFile(from, to, options) {
      const local = localPath(root, from, to)
      const content = await contentOf(local)
      const text = `upload ${readable(from)} ${readable(to)}`
      const input = metered(local, content.size, progress(emit, host, to))
      await receive(fileUpload(text, to, content, fileMode(options, umask), input), to)
    },
    async uploadDir(from, to, options) {
      // With node-tar behind it, which most runs do without.
      const { treeOf, treePlace } = await import('./upload-tree.ts')
      const tree = await treeOf(localPath(root, from, to), options?.exclude ?? [])
      const over = treePlace(to, tree.mode)
      try {
        if (!(await alike(tree, over, options?.like))) await whole(tree, over)
        await succeed(over.publish, to, 'written')
      } catch (error) {
        await leftBehind.clear(under(place, over.discard), error)
        throw error
      }
    },
    async downloadFile(from, to, options) {
      const resume = options?.resume ?? false
      const download = await fileDownload(
        host,
        from,
        localPath(root, to, from),
        { mode: options?.mode ?? 0o644, resume },
        progress(emit, host, from),
      )
      return persist(download, from, resume, (order) => succeed(order, from, 'read'))
    },
    async downloadDir(from, to) {
      const { sendTreeOrder, treeLanding } = await import('./download-tree.ts')
      const place = await treeLanding(from, host, localPath(root, to, from), progress(emit, host, from))
      try {
        await succeed(sendTreeOrder(from, place.into), from, 'read')
        return await place.land()
      } catch (error) {
        await place.discard()
        throw error
      }
    },
  }
}

const UNKNOWN: readonly string[] = ['CONNECTION_LOST', 'COMMAND_CANCELLED', 'COMMAND_TIMEOUT']
