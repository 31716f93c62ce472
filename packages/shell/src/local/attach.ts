import { spawn } from 'node:child_process'
import { type Host, Problem } from '@deployfile/core'
import type { Ending, Start } from '../transport.ts'

/** Milliseconds after an abort in which it should be gone; after them it is killed. */
const PATIENCE = 4_000

/** Runs a program of this machine on this process's own terminal, in its group: so keys that interrupt reach it, too. */
export function attachHere(
  host: Host,
  folder: string,
  { sh, args }: Pick<Start, 'sh' | 'args'>,
  signal: AbortSignal,
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', sh, 'sh', ...args], { cwd: folder, stdio: 'inherit' })
    const ignore = (): void => undefined
    const keys = ['SIGINT', 'SIGQUIT'] as const
    for (const key of keys) process.on(key, ignore)
    let late: NodeJS.Timeout | undefined
    const abort = (): void => {
      late = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
    }
    signal.addEventListener('abort', abort, { once: true })
    const settle = (): void => {
      clearTimeout(late)
      signal.removeEventListener('abort', abort)
      for (const key of keys) process.off(key, ignore)
    }
    child.once('error', (cause) => {
      settle()
      const message = `${host.name}: sh cannot be started: ${cause.message}`
      reject(new Problem('check', 'HOST_UNREACHABLE', message, { host: host.name, cause }))
    })
    child.once('close', (exitCode, name) => {
      settle()
      resolve({ exitCode, signal: name })
    })
  })
}
