import { type Host, isProblem, Problem } from '@deployfile/core'
import type { Client, ClientChannel } from 'ssh2'
import type { Ending, Running, Start, Transport } from '../transport.ts'
import type { Connection } from './connection.ts'
import { dial } from './dial.ts'
import { attachThere } from './attach.ts'
import { pause, unlessAborted } from './gate.ts'
import { loginLine, roomOf } from './line.ts'
import type { Pool } from './pool.ts'
import { openSftp } from './sftp.ts'

/** Channels that the other side refused to open: the command did not start, so it may be tried again. */
const OPEN_TRIES = 8
/** A request that is neither granted nor refused: keepalive ends the connection by then; a cancelled run does not wait so long. */
const CANCELLED_WAIT = 3_000
const AFTER_LOSS = 1_000

/** By pool and host: in which login shell its commands find themselves. */
const loginShells = new WeakMap<Pool, Map<string, string>>()

/** Commands on `host` over the pool's connection to it. */
export function sshTransport(host: Host, pool: Pool): Required<Transport> {
  const shells = loginShells.get(pool) ?? new Map<string, string>()
  loginShells.set(pool, shells)
  return {
    host,
    learn: (shell) => void shells.set(host.name, shell),
    sftp: (signal) => openSftp(host, pool, signal),
    async connect(signal) {
      await unlessAborted(pool.connection(host), signal)
    },
    dial: async (to, signal, lost) =>
      dial(await unlessAborted(pool.connection(host), signal), to, signal, lost),
    async attach({ sh, args }, signal) {
      const connection = await unlessAborted(pool.connection(host), signal)
      const leave = await connection.channels.enter(signal)
      try {
        const line = loginLine({ sh, args, stdin: 'pipe', pty: true }, shells.get(host.name))
        return await attachThere(host.name, connection, line, signal)
      } finally {
        leave()
      }
    },
    async start(compose, signal, urgent = false) {
      let refused = 0
      for (let lost = 0; ;) {
        const connection = await unlessAborted(pool.connection(host), signal)
        let leave: (() => void) | undefined
        try {
          leave = urgent ? () => undefined : await connection.channels.enter(signal)
          const shell = shells.get(host.name)
          const command = compose(roomOf(shell))
          const text = loginLine(command, shell)
          return await request(host.name, connection, { text, pty: command.pty }, signal, (channel) =>
            follow(connection, channel, command, leave),
          )
        } catch (error) {
          leave?.()
          if (error instanceof Error && UNSENT.test(error.message)) connection.abandon(error.message)
          if (connection.lost() !== undefined && !isProblem(error) && !signal.aborted) {
            // Lost before the command was sent: a new connection may take it, once. One that fell silent has cost its time.
            if (++lost > 1 || connection.silent) throw notStarted(host.name, connection.lost() ?? '')
          } else if (isOpenFailure(error)) {
            // More than the host allows at once (MaxSessions). With others of ours inside, one of them makes room.
            if (connection.channels.inside > 0) connection.channels.narrow()
            else if (++refused >= OPEN_TRIES) throw channelRefused(host.name, error)
            await pause(Math.min(500, 5 * 2 ** refused) * (0.5 + Math.random()), signal)
          } else throw error
        }
      }
    },
  }
}

/** ssh2's words for a link that was gone before the request could be sent. */
const UNSENT = /^(Not connected|No response from server)$/

function notStarted(host: string, reason: string): Problem {
  return new Problem('task', 'CONNECTION_LOST', `${host}: the command did not start: ${reason}`, {
    host,
    cause: new Error(reason),
    retryable: true,
  })
}

function channelRefused(host: string, cause: Error): Problem {
  return new Problem(
    'task',
    'CHANNEL_REFUSED',
    `${host}: the host opens no session for a command: ${cause.message}`,
    {
      host,
      cause,
      retryable: true,
      hint: 'The login works, so look at MaxSessions in its sshd_config and at the limit of processes of this login.',
    },
  )
}

function isOpenFailure(error: unknown): error is Error {
  return error instanceof Error && 'reason' in error && /open failure/i.test(error.message)
}

function request(
  host: string,
  connection: Connection,
  { text, pty }: { readonly text: string; readonly pty: boolean },
  signal: AbortSignal,
  // Followed from the moment it opens: a short command's exit status may be in the same packet as the answer to its request.
  begin: (channel: ClientChannel) => Running,
): Promise<Running> {
  const { client } = connection
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    let gaveUp = false
    const mayHaveRun = (reason: string): Problem =>
      new Problem(
        'task',
        'CONNECTION_LOST',
        `${host}: the connection was lost while a command was being started`,
        {
          host,
          cause: new Error(reason),
          command: { text: '', exitCode: null, signal: null, tail: [], mayHaveRun: true },
        },
      )
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', hurry)
      act()
    }
    const hurry = (): void => {
      timer = setTimeout(() => {
        gaveUp = true
        settle(() => reject(mayHaveRun('no answer')))
      }, CANCELLED_WAIT)
    }
    signal.addEventListener('abort', hurry, { once: true })
    // Throws at once when the socket is closed already: nothing was sent.
    client.exec(text, { pty }, (error, channel) => {
      if (gaveUp) {
        if (!error) {
          channel.signal('KILL')
          channel.close()
        }
        return
      }
      // Once the channel is open the request was sent, and only its answer is missing.
      settle(() => {
        if (!error) resolve(begin(channel))
        else if ('reason' in error || UNSENT.test(error.message)) reject(error)
        else reject(refusal(connection.lost()))
      })
    })
    const refusal = (lost: string | undefined): Problem =>
      lost !== undefined
        ? mayHaveRun(lost)
        : new Problem('task', 'COMMAND_FAILED', `${host}: the host runs no commands for this login`, {
            host,
            hint: 'The login may be limited to file transfer, or its shell may be missing.',
          })
  })
}

function follow(
  connection: Connection,
  channel: ClientChannel,
  command: Start,
  leave: (() => void) | undefined,
): Running {
  let status: Ending | undefined
  let over = false
  let tellExit: (ending: Ending) => void = () => undefined
  let tellEnd: (ending: Ending) => void = () => undefined
  const exited = new Promise<Ending>((resolve) => (tellExit = resolve))
  const ended = new Promise<Ending>((resolve) => (tellEnd = resolve))
  const finish = (): void => {
    if (over) return
    over = true
    leave?.()
    const lost = connection.lost()
    const known = status ?? { exitCode: null, signal: null }
    tellEnd(lost === undefined ? known : { ...known, lost })
  }
  channel.on('exit', (code: number | null, signal?: string) => {
    status = { exitCode: code, signal: signal ?? null }
    tellExit(status)
  })
  channel.on('close', finish)
  // What is left to say is said by 'close'; an error nobody hears would end the process.
  channel.on('error', () => undefined)
  channel.stderr.on('error', () => undefined)
  connection.onLost(() => setTimeout(finish, AFTER_LOSS).unref())

  return {
    stdin: command.stdin === 'pipe' ? channel : undefined,
    stdout: channel,
    stderr: channel.stderr,
    exited,
    ended,
    signal(name) {
      if (over || connection.lost() !== undefined) return
      sendSignal(connection.client, channel, name)
    },
    endInput: () => void channel.end(),
    close() {
      channel.close()
      setTimeout(finish, AFTER_LOSS).unref()
    },
  }
}

/** What ssh2's channels hold, beyond their types: `signal()` is silent once standard input has ended, though SSH allows it. */
interface Inner {
  readonly _protocol?: { signal?(channel: number, name: string): void }
}

function sendSignal(client: Client, channel: ClientChannel, name: string): void {
  const { outgoing } = channel as unknown as {
    readonly outgoing?: { readonly id?: number; readonly state?: string }
  }
  const protocol = (client as unknown as Inner)._protocol
  if (outgoing?.state === 'eof' && outgoing.id !== undefined && protocol?.signal)
    protocol.signal(outgoing.id, name)
  else channel.signal(name)
}
