import { isProblem, type Problem } from '@deployfile/core'
import type { SFTPWrapper, Stats } from 'ssh2'
import type { SftpSession } from '../transport.ts'
import { type Deed, localFault, remoteFault } from './failure.ts'

type Done<T> = (error: Error | null | undefined, result?: T) => void

/** What files need of SFTP, as promises. */
export interface Sftp {
  /** Undefined: there is no such thing. */
  stat(path: string): Promise<Stats | undefined>
  lstat(path: string): Promise<Stats | undefined>
  realpath(path: string): Promise<string>
  names(folder: string): Promise<readonly string[]>
  readFile(path: string): Promise<Buffer>
  /** Refuses what exists; for its owner alone. */
  writeFile(path: string, bytes: Buffer): Promise<void>
  put(local: string, path: string, tell: (bytes: number) => void): Promise<void>
  get(path: string, local: string, tell: (bytes: number) => void): Promise<void>
  chmod(path: string, mode: number): Promise<void>
  mkdir(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  unlink(path: string): Promise<void>
  symlink(target: string, path: string): Promise<void>
  /** rename(2): what has the name is replaced in one step, which plain SFTP refuses to do. */
  rename(from: string, to: string): Promise<void>
  /** Blocks that are left; undefined where the server does not say. */
  freeBlocks(path: string): Promise<number | undefined>
}

/** 128 KB sixteen times in flight: the quickest of what was measured. */
const FAST = { concurrency: 16, chunkSize: 128 * 1024 } as const

export function sftpRequests(session: SftpSession): Sftp {
  const call = <T>(act: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T> => session.call(act)
  const told = (act: (sftp: SFTPWrapper, done: Done<undefined>) => void): Promise<undefined> => call(act)
  const found = (act: (sftp: SFTPWrapper, done: Done<Stats>) => void): Promise<Stats | undefined> =>
    call<Stats>(act).catch((error: unknown) => {
      if ((error as { readonly code?: unknown }).code === STATUS.noSuchFile) return undefined
      throw error
    })
  const step = (tell: (bytes: number) => void) => (bytes: number) => tell(bytes)
  return {
    stat: (path) => found((sftp, done) => sftp.stat(path, done)),
    lstat: (path) => found((sftp, done) => sftp.lstat(path, done)),
    realpath: (path) => call<string>((sftp, done) => sftp.realpath(path, done)),
    async names(folder) {
      const entries = await call<{ readonly filename: string }[]>((sftp, done) => sftp.readdir(folder, done))
      return entries.map(({ filename }) => filename).filter((name) => name !== '.' && name !== '..')
    },
    readFile: (path) => call<Buffer>((sftp, done) => sftp.readFile(path, done)),
    writeFile: (path, bytes) =>
      told((sftp, done) => sftp.writeFile(path, bytes, { flag: 'wx', mode: 0o600 }, done)),
    put: (local, path, tell) =>
      told((sftp, done) => sftp.fastPut(local, path, { ...FAST, mode: 0o600, step: step(tell) }, done)),
    get: (path, local, tell) =>
      told((sftp, done) => sftp.fastGet(path, local, { ...FAST, step: step(tell) }, done)),
    chmod: (path, mode) => told((sftp, done) => sftp.chmod(path, mode, done)),
    mkdir: (path) => told((sftp, done) => sftp.mkdir(path, done)),
    rmdir: (path) => told((sftp, done) => sftp.rmdir(path, done)),
    unlink: (path) => told((sftp, done) => sftp.unlink(path, done)),
    symlink: (target, path) => told((sftp, done) => sftp.symlink(target, path, done)),
    rename: (from, to) => told((sftp, done) => sftp.ext_openssh_rename(from, to, done)),
    freeBlocks: (path) =>
      call<{ readonly f_bavail?: number }>((sftp, done) => sftp.ext_openssh_statvfs(path, done)).then(
        ({ f_bavail }) => f_bavail,
        () => undefined,
      ),
  }
}

/** Of the protocol (draft-ietf-secsh-filexfer-02, §7). */
const STATUS = { noSuchFile: 2, permissionDenied: 3, failure: 4 } as const

const ERRNO: Readonly<Record<number, string>> = {
  [STATUS.noSuchFile]: 'ENOENT',
  [STATUS.permissionDenied]: 'EACCES',
}

/** It failed, and the server has no word for why. */
export function isUnexplained(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === STATUS.failure
}

/** A server says by number what was wrong, this machine's file system by name. */
export function sftpFault(host: string, path: string, deed: Deed, cause: unknown): Problem {
  if (isProblem(cause)) return cause
  const { code } = cause as { readonly code?: unknown }
  if (typeof code === 'string') return localFault(path, deed, cause)
  return remoteFault(host, path, deed, ERRNO[Number(code)] ?? '', cause)
}
