import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { type Host, Problem } from '@deployfile/core'
import type { Ending, Running, Transport } from '../transport.ts'

/** Commands on this machine, in `folder`. HOME stays the user's own. */
export function localTransport(host: Host, folder: string): Transport {
  return {
    host,
    async start({ sh, args, stdin }) {
      // spawn reports a missing folder as a missing `sh`.
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
        throw new Problem('check', 'FOLDER_MISSING', `${host.name}: the folder ${folder} does not exist`, {
          host: host.name,
          hint: `Make it: mkdir -p ${folder}`,
        })
      }
      // A process group of its own, so that all of it can be stopped, and Ctrl-C in the terminal reaches only us.
      const words = ['-c', sh, 'sh', ...args]
      const group = { cwd: folder, detached: true }
      const child =
        stdin === 'pipe'
          ? spawn('sh', words, { ...group, stdio: ['pipe', 'pipe', 'pipe'] })
          : spawn('sh', words, { ...group, stdio: ['ignore', 'pipe', 'pipe'] })
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
            new Problem('check', 'HOST_UNREACHABLE', `${host.name}: sh cannot be started: ${cause.message}`, {
              host: host.name,
              cause,
            }),
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
