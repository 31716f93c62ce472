import type { SFTPWrapper } from 'ssh2'
import { type Host, isProblem, Problem } from '@deployfile/core'
import type { SftpSession } from '../transport.ts'
import { unlessAborted } from './gate.ts'
import type { Pool } from './pool.ts'

/**
 * A session of file transfer on the pool's connection; takes one of its channels until it is closed.
 * @throws Problem `NO_SFTP`, `CONNECTION_LOST`, `COMMAND_CANCELLED` (task), those of connecting
 */
export async function openSftp(host: Host, pool: Pool, signal: AbortSignal): Promise<SftpSession> {
  const connection = await unlessAborted(pool.connection(host), signal)
  const leave = await connection.channels.enter(signal)
  const broken = new AbortController()
  connection.onLost(() => broken.abort())
  /** ssh2 leaves callbacks of a link that has ended uncalled. */
  const asked = <T>(act: (done: (error: Error | null | undefined, result?: T) => void) => void): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const lost = (): void =>
        reject(
          new Problem(
            'task',
            'CONNECTION_LOST',
            `${host.name}: the connection was lost (${connection.lost() ?? ''})`,
            {
              host: host.name,
              hint: 'What had not arrived whole has not got its name. Run it again.',
            },
          ),
        )
      const cancelled = (): void =>
        reject(
          new Problem('task', 'COMMAND_CANCELLED', `${host.name}: the transfer was cancelled`, {
            host: host.name,
          }),
        )
      const release = (): void => {
        broken.signal.removeEventListener('abort', lost)
        signal.removeEventListener('abort', cancelled)
      }
      if (broken.signal.aborted) lost()
      if (signal.aborted) cancelled()
      broken.signal.addEventListener('abort', lost)
      signal.addEventListener('abort', cancelled)
      act((error, result) => {
        release()
        if (error) reject(error)
        else resolve(result as T)
      })
    })
  let sftp: SFTPWrapper
  try {
    sftp = await asked<SFTPWrapper>((done) =>
      connection.client.sftp((error, session) => done(error, session)),
    )
  } catch (cause) {
    leave()
    // The link that broke, or the cancel, says nothing of what the login may do.
    if (isProblem(cause)) throw cause
    throw new Problem('task', 'NO_SFTP', `${host.name}: the host gives this login no file transfer`, {
      host: host.name,
      cause,
    })
  }
  sftp.on('error', () => undefined)
  return {
    call: (act) => asked((done) => act(sftp, done)),
    close() {
      sftp.end()
      leave()
    },
  }
}
