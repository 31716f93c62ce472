import { spawnSync } from 'node:child_process'
import { Problem } from '@deployfile/core'
import type { ClientChannel } from 'ssh2'
import type { Ending } from '../transport.ts'
import type { Connection } from './connection.ts'

/** Milliseconds for the last words of a link that is gone, or of a program that was told to go. */
const AFTER_LOSS = 1_000
const AFTER_ABORT = 4_000

/** Runs a line of the login shell on a terminal of the other side, and this process's own terminal is its screen and keyboard. */
export function attachThere(
  host: string,
  connection: Connection,
  line: string,
  signal: AbortSignal,
): Promise<Ending> {
  const { stdout, env } = process
  const pty = { term: env['TERM'] ?? 'xterm', rows: stdout.rows, cols: stdout.columns }
  return new Promise((resolve, reject) => {
    connection.client.exec(line, { pty }, (error, channel) => {
      if (error) reject(notOpened(host, connection, error))
      else follow(connection, channel, signal).then(resolve, reject)
    })
  })
}

function follow(connection: Connection, channel: ClientChannel, signal: AbortSignal): Promise<Ending> {
  const { stdin, stdout } = process
  return new Promise((resolve) => {
    let status: Ending = { exitCode: null, signal: null }
    let known = false
    const ignore = (): void => undefined
    const resize = (): void => channel.setWindow(stdout.rows, stdout.columns, 0, 0)
    const finish = (): void => {
      stdin.unpipe(channel)
      stdin.pause()
      stdin.setRawMode(false)
      stdin.off('error', ignore)
      stdout.off('resize', resize)
      signal.removeEventListener('abort', abort)
      const lost = known ? undefined : connection.lost()
      resolve(lost === undefined ? status : { ...status, lost })
    }
    const abort = (): void => {
      channel.signal('HUP')
      setTimeout(() => {
        channel.close()
        finish()
      }, AFTER_ABORT).unref()
    }
    // Every key goes over as it is: the terminal over there makes of Ctrl-C what it means there.
    stdin.setRawMode(true)
    // Node leaves it to this side to put a carriage return before each new line, where the cursor was to go down and nothing else.
    spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
    // A terminal that goes away while it is read says so here; the hang-up is what stops the run.
    stdin.on('error', ignore)
    stdin.pipe(channel)
    channel.pipe(stdout, { end: false })
    channel.stderr.pipe(stdout, { end: false })
    stdout.on('resize', resize)
    signal.addEventListener('abort', abort, { once: true })
    channel.on('exit', (code: number | null, name?: string) => {
      known = true
      status = { exitCode: code, signal: name ?? null }
    })
    channel.on('error', ignore)
    channel.on('close', finish)
    connection.onLost(() => setTimeout(finish, AFTER_LOSS).unref())
  })
}

function notOpened(host: string, connection: Connection, cause: Error): Problem {
  const lost = connection.lost()
  const [code, what] =
    lost === undefined
      ? (['CHANNEL_REFUSED', `the host opens no terminal for this login: ${cause.message}`] as const)
      : (['CONNECTION_LOST', `the connection was lost (${lost}) before the command began`] as const)
  return new Problem('task', code, `${host}: ${what}`, {
    host,
    cause,
    hint:
      lost === undefined
        ? 'Look at PermitTTY and MaxSessions in its sshd_config, and at restrict or no-pty in authorized_keys.'
        : undefined,
  })
}
