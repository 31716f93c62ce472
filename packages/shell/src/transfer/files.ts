import { type CommandEvent, type CommandOptions, isProblem, type Shell } from '@deployfile/core'
import type { Order } from '../command/order.ts'
import type { Done } from '../command/perform.ts'
import type { SftpSession } from '../transport.ts'
import type { Leftovers } from './left-behind.ts'
import { shellFiles } from './shell-files.ts'

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
  | 'downloadDir'
>

/** What the files of a shell need of it. */
export interface FilesParts {
  readonly host: string
  /** Where local paths start. */
  readonly root: string
  /** Folder, umask and user apply to files; environment and input are for commands. */
  readonly place: Pick<CommandOptions, 'cwd' | 'umask' | 'user'>
  readonly memory: FilesMemory
  readonly emit: (event: CommandEvent) => void
  /**
   * Resolves with whatever status it had. `signal`: in place of the shell's own, which may be why there is something to clear away;
   * nobody is told of these.
   */
  readonly run: (order: Order, signal?: AbortSignal) => Promise<Done>
  /** Where the host may have it. */
  readonly sftp: (() => Promise<SftpSession>) | undefined
}

/** What is known of a host, for all shells of a run. */
export interface FilesMemory {
  readonly leftBehind: Leftovers
  /** The same by SFTP: names. */
  readonly leftBySftp: Set<string>
  /** The login ran nothing that it was asked to, and SFTP worked. */
  sftpOnly: boolean
}

export function newMemory(): FilesMemory {
  return { leftBehind: new Set(), leftBySftp: new Set(), sftpOnly: false }
}

/** Files by the shell; by SFTP where the login has turned out to have no shell. */
export function createFiles(parts: FilesParts): Files {
  const byShell = shellFiles(parts)
  const { sftp, memory } = parts
  if (!sftp) return byShell
  const bySftp = async (): Promise<Files> => (await import('./sftp-files.ts')).sftpFiles(parts, sftp)

  const either = <Arguments extends readonly unknown[], Result>(
    work: (files: Files, ...given: Arguments) => Promise<Result>,
  ): ((...given: Arguments) => Promise<Result>) => {
    return async (...given) => {
      if (memory.sftpOnly) return work(await bySftp(), ...given)
      try {
        return await work(byShell, ...given)
      } catch (error) {
        // What may still be done by a shell must not be done a second time beside it.
        if (!isProblem(error) || error.code !== 'LOGIN_SHELL') throw error
        if (error.details.command?.mayHaveRun === true) throw error
        try {
          const result = await work(await bySftp(), ...given)
          memory.sftpOnly = true
          return result
        } catch (other) {
          // No file transfer either: what the login shell said is the better story.
          if (isProblem(other) && other.code === 'NO_SFTP') throw error
          memory.sftpOnly = true
          throw other
        }
      }
    }
  }
  return {
    readFile: either((files, ...given: Parameters<Files['readFile']>) => files.readFile(...given)),
    writeFile: either((files, ...given: Parameters<Files['writeFile']>) => files.writeFile(...given)),
    exists: either((files, ...given: Parameters<Files['exists']>) => files.exists(...given)),
    mkdir: either((files, ...given: Parameters<Files['mkdir']>) => files.mkdir(...given)),
    remove: either((files, ...given: Parameters<Files['remove']>) => files.remove(...given)),
    symlink: either((files, ...given: Parameters<Files['symlink']>) => files.symlink(...given)),
    rename: either((files, ...given: Parameters<Files['rename']>) => files.rename(...given)),
    uploadFile: either((files, ...given: Parameters<Files['uploadFile']>) => files.uploadFile(...given)),
    uploadDir: either((files, ...given: Parameters<Files['uploadDir']>) => files.uploadDir(...given)),
    downloadFile: either((files, ...given: Parameters<Files['downloadFile']>) =>
      files.downloadFile(...given),
    ),
    downloadDir: either((files, ...given: Parameters<Files['downloadDir']>) => files.downloadDir(...given)),
  }
}
