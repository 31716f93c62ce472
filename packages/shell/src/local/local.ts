import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { type Host, Problem } from '@deployfile/core'
import { readable } from '../command/order.ts'
import { quote } from '../command/quote.ts'
import type { Ending, Running, Transport } from '../transport.ts'
import { attachHere } from './attach.ts'

/** Linux allows 128 KiB for one argument (MAX_ARG_STRLEN). */
const ROOM = 64 * 1024

/** Commands on this machine, in `folder`. HOME stays the user's own. */
export function localTransport(host: Host, folder: string): Transport {
  // spawn reports a missing folder as a missing `sh`.
  const checkFolder = (): void => {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
    throw new Problem('check', 'FOLDER_MISSING', `${host.name}: the folder ${folder} does not exist`, {
      host: host.name,
      hint: `Make it: mkdir -p ${readable(folder)}`,
    })
  }
  return {
    host,
    connect: () => Promise.resolve(),
    async dial(to, signal) {
      const socket = connect({ ...to, allowHalfOpen: true })
      socket.on('error', () => undefined)
      try {
        await once(socket, 'connect', { signal })
      } catch (error) {
        socket.destroy()
        throw error
      }
      return socket
    },
    async attach(start, signal) {
      checkFolder()
      return attachHere(host, folder, start, signal)
    },
    async start(compose) {
      const { sh, args, stdin, pty } = compose(ROOM)
      checkFolder()
      // A process group of its own, so that all of it can be stopped, and Ctrl-C in the terminal reaches only us.
      const group = { cwd: folder, detached: true }
      const [file, ...words] = pty ? onTerminal(sh, args) : ['sh', '-c', sh, 'sh', ...args]
      const child =
        stdin === 'pipe'
          ? spawn(file, words, { ...group, stdio: ['pipe', 'pipe', 'pipe'] })
          : spawn(file, words, { ...group, stdio: ['ignore', 'pipe', 'pipe'] })
      const ending = (code: number | null, signal: string | null): Ending => ({ exitCode: code, signal })
      let over = false
      const exited = new Promise<Ending>((resolve) => {
        child.once('exit', (code, signal) => resolve(ending(code, signal)))
      })
      const ended = new Promise<Ending>((resolve) => {
        child.once('close', (code, signal) => {
          over = true
          resolve(ending(code, signal))
        })
      })
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', (cause) => {
          reject(
            new Problem(
              'check',
              'HOST_UNREACHABLE',
              `${host.name}: ${file} cannot be started: ${cause.message}`,
              {
                host: host.name,
                cause,
              },
            ),
          )
        })
      })
      const running: Running = {
        stdin: child.stdin ?? undefined,
        stdout: child.stdout,
        stderr: child.stderr,
        exited,
        ended,
        signal(name) {
          if (over || child.pid === undefined) return
          try {
            process.kill(-child.pid, `SIG${name}`)
          } catch {
            // ESRCH: the last of the group has just gone.
          }
        },
        endInput: () => void child.stdin?.end(),
        close() {
          child.stdin?.destroy()
          child.stdout.destroy()
          child.stderr.destroy()
          child.unref()
        },
      }
      return running
    },
  }
}

/** The program `script` makes a terminal where there is none: util-linux's takes a command of the login shell, BSD's words. */
function onTerminal(sh: string, args: readonly string[]): [string, ...string[]] {
  const words = ['sh', '-c', sh, 'sh', ...args]
  if (process.platform !== 'linux') return ['script', '-q', '/dev/null', ...words]
  const shell = process.env['SHELL'] ?? ''
  return [
    'env',
    'SHELL=/bin/sh',
    'script',
    '-qefc',
    `SHELL=${quote(shell)} exec ${words.map(quote).join(' ')}`,
    '/dev/null',
  ]
}
