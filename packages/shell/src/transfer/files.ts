import type { CommandEvent, CommandOptions, Shell } from '@deployfile/core'
import type { Done } from '../command/done.ts'
import type { Order } from '../command/order.ts'
import type { SftpSession } from '../transport.ts'
import type { Leftovers } from './left-behind.ts'

/** What a shell does with files, whatever way they go. */
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
