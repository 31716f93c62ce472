import { randomBytes } from 'node:crypto'
import { chmod, lstat, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { isProblem, Problem } from '@deployfile/core'
import type { Stats } from 'ssh2'
import { passable } from '../command/quote.ts'
import type { SftpSession } from '../transport.ts'
import { beside, fileMode, plainRemoval, READ_LIMIT } from './entry.ts'
import { type Deed, localFault, refused, remoteFault } from './failure.ts'
import type { Files, FilesParts } from './files.ts'
import { localPath } from './local-path.ts'
import { refuseTaken } from './part.ts'
import { progress } from './progress.ts'
import { isUnexplained, type Sftp, sftpFault, sftpRequests } from './sftp-requests.ts'
import { type Content, contentOf, contentOfText } from './upload-file.ts'

/**
 * Files for a login that may transfer files and nothing else. Nothing can be hashed over there: what was written is read back before it
 * gets its name. A download that breaks begins anew, and trees need a shell.
 */
export function sftpFiles(parts: FilesParts, start: () => Promise<SftpSession>): Files {
  const { host, root, place, emit } = parts
  const { umask, user } = place
  const left = parts.memory.leftBySftp

  const session = async <T>(
    path: string,
    deed: Deed,
    work: (sftp: Sftp, target: string) => Promise<T>,
  ): Promise<T> => {
    const target = located(path, place.cwd)
    if (user !== undefined) throw needsShell(host, `to do anything as ${user}`)
    const opened = await start()
    try {
      const sftp = sftpRequests(opened)
      for (const temp of left) {
        await sftp.unlink(temp).catch(() => undefined)
        left.delete(temp)
      }
      return await work(sftp, target)
    } catch (error) {
      throw sftpFault(host, path, deed, error)
    } finally {
      opened.close()
    }
  }
  const receive = (
    path: string,
    mode: number,
    content: Content,
    send: (sftp: Sftp, temp: string) => Promise<void>,
  ): Promise<void> =>
    session(path, 'written', async (sftp, target) => {
      const found = await sftp.stat(target)
      if (found && !found.isFile()) throw otherKind(host, path, 'written', found)
      const temp = beside(target)
      try {
        await send(sftp, temp)
        await readBack(sftp, temp, content, host, path)
        await sftp.chmod(temp, mode)
        await sftp.rename(temp, target)
      } catch (error) {
        // A server has no number for a full disk.
        const full = isUnexplained(error) && (await sftp.freeBlocks(posix.dirname(target))) === 0
        await sftp.unlink(temp).catch(() => left.add(temp))
        throw full ? remoteFault(host, path, 'written', 'ENOSPC', error) : error
      }
    })

  return {
    readFile: (path) =>
      session(path, 'read', async (sftp, target) => {
        const found = await sftp.stat(target)
        if (found && !found.isFile()) throw otherKind(host, path, 'read', found)
        if (found && found.size > READ_LIMIT) {
          throw new Problem('task', 'OUTPUT_TOO_LONG', `${host}: ${path} is larger than 16 MiB`, {
            host,
            path,
            hint: 'Use downloadFile for large files.',
          })
        }
        return (await sftp.readFile(target)).toString('utf8')
      }),
    async writeFile(path, content, options) {
      const bytes = Buffer.from(content)
      const send = (sftp: Sftp, temp: string) => sftp.writeFile(temp, bytes)
      await receive(path, fileMode(options, umask), contentOfText(bytes), send)
    },
    exists: (path) => session(path, 'read', async (sftp, target) => (await sftp.stat(target)) !== undefined),
    mkdir: (path, options) =>
      session(path, 'made', async (sftp, target) => {
        const names = target.split('/').filter((name) => name !== '' && name !== '.')
        for (const depth of names.keys()) {
          const folder = `${target.startsWith('/') ? '/' : ''}${names.slice(0, depth + 1).join('/')}`
          const found = await sftp.stat(folder)
          if (found && !found.isDirectory()) throw otherKind(host, path, 'made', found)
          if (found) continue
          await sftp.mkdir(folder)
          if (depth === names.length - 1) await sftp.chmod(folder, options?.mode ?? 0o777 & ~(umask ?? 0o022))
        }
      }),
    remove: (path) => {
      const plain = plainRemoval(path)
      return session(plain, 'removed', async (sftp, target) => {
        const found = await sftp.lstat(target)
        if (!found) return
        const [home, real] = [await sftp.realpath('.'), await sftp.realpath(target)]
        if (found.isDirectory() && `${home}/`.startsWith(`${real}/`))
          throw refused('REMOVE_REFUSED', `${host}: refused to remove ${real}: ${home} is in it`, {
            host,
            path,
          })
        await removeAll(sftp, target, found)
      })
    },
    symlink: (target, path) =>
      session(path, 'written', async (sftp, link) => {
        const found = await sftp.lstat(link)
        if (found?.isDirectory()) throw otherKind(host, path, 'written', found)
        const temp = beside(link)
        try {
          await sftp.symlink(target, temp)
          await sftp.rename(temp, link)
        } catch (error) {
          await sftp.unlink(temp).catch(() => left.add(temp))
          throw error
        }
      }),
    rename: (from, to) =>
      session(from, 'renamed', (sftp, source) => sftp.rename(source, located(to, place.cwd))),
    async uploadFile(from, to, options) {
      const local = localPath(root, from, to)
      const content = await contentOf(local)
      const tell = progress(emit, host, to)
      const send = (sftp: Sftp, temp: string) =>
        sftp.put(local, temp, (bytes) => tell(bytes, content.size + 1))
      await receive(to, fileMode(options, umask), content, send)
      tell(content.size, content.size)
    },
    async downloadFile(from, to, options) {
      const local = localPath(root, to, from)
      await refuseTaken(local)
      const tell = progress(emit, host, from)
      return session(from, 'read', async (sftp, source) => {
        const before = await sftp.stat(source)
        if (!before) throw remoteFault(host, from, 'read', 'ENOENT')
        if (!before.isFile()) throw otherKind(host, from, 'read', before)
        const part = beside(local)
        try {
          await onDisk(local, async () => {
            await mkdir(dirname(local), { recursive: true })
            await writeFile(part, '', { flag: 'wx', mode: 0o600 })
          })
          await onDisk(local, () => sftp.get(source, part, (bytes) => tell(bytes, before.size + 1)))
          const after = await sftp.stat(source)
          const { size } = await lstat(part)
          if (size !== before.size || size !== after?.size || before.mtime !== after.mtime) {
            const why = 'it was changed while it was being read'
            throw refused('TRANSFER_BROKEN', `${host}: ${from} cannot be read: ${why}`, { host, path: from })
          }
          await onDisk(local, () => land(part, local, options?.mode ?? 0o644))
          tell(size, size)
          return size
        } catch (error) {
          await rm(part, { force: true })
          throw error
        }
      })
    },
    uploadDir: () => Promise.reject(needsShell(host, 'to upload a folder')),
    downloadDir: () => Promise.reject(needsShell(host, 'to download a folder')),
  }
}

/** Relative ones start at the home, as everywhere. */
function located(path: string, cwd: string | undefined): string {
  if (path === '') throw new Problem('usage', 'PATH_EMPTY', 'a path is empty')
  passable(path, 'a path')
  const fromHome = (name: string): string =>
    name === '~' || name.startsWith('~/') ? `./${name.slice(2)}` : name
  const plain = path.replace(/(.)\/+$/, '$1')
  if (cwd === undefined || /^[/~]/.test(plain)) return fromHome(plain)
  return posix.join(fromHome(cwd), plain)
}

async function readBack(sftp: Sftp, temp: string, sent: Content, host: string, path: string): Promise<void> {
  const copy = join(tmpdir(), `deployfile-${randomBytes(8).toString('hex')}`)
  try {
    await writeFile(copy, '', { flag: 'wx', mode: 0o600 })
    await sftp.get(temp, copy, () => undefined)
    const { size, sha256 } = await contentOf(copy)
    if (size === sent.size && sha256 === sent.sha256) return
    throw refused(
      'TRANSFER_BROKEN',
      `${host}: ${path} cannot be written: other bytes arrived than were sent`,
      {
        host,
        path,
      },
    )
  } finally {
    await rm(copy, { force: true })
  }
}

async function removeAll(sftp: Sftp, path: string, found: Stats): Promise<void> {
  if (!found.isDirectory()) return sftp.unlink(path)
  for (const name of await sftp.names(path)) {
    const inside = `${path}/${name}`
    const entry = await sftp.lstat(inside)
    if (entry) await removeAll(sftp, inside, entry)
  }
  await sftp.rmdir(path)
}

async function land(part: string, to: string, mode: number): Promise<void> {
  await chmod(part, mode)
  const file = await open(part)
  await file.sync().finally(() => file.close())
  await rename(part, to)
}

async function onDisk(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw typeof (error as { readonly code?: unknown }).code === 'string' && !isProblem(error)
      ? localFault(path, 'written', error)
      : error
  }
}

function otherKind(host: string, path: string, deed: Deed, found: Stats): Problem {
  const what = found.isDirectory() ? 'a folder' : found.isFile() ? 'a file' : 'no regular file'
  return refused('WRONG_KIND', `${host}: ${path} cannot be ${deed}: it is ${what}`, { host, path })
}

function needsShell(host: string, what: string): Problem {
  return new Problem('check', 'NO_SHELL', `${host}: ${what} needs a shell, and this login has SFTP only`, {
    host,
    hint: 'Give the login a shell (chsh; no ForceCommand internal-sftp), or use another login.',
  })
}
