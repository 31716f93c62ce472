import { isProblem } from '@deployfile/core'
import type { Files, FilesParts } from './files.ts'
import { shellFiles } from './shell-files.ts'

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
