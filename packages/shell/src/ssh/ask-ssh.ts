import { execFile } from 'node:child_process'
import { Problem } from '@deployfile/core'

/** What to ask ssh about. */
export interface Inquiry {
  /** Of the host, for messages. */
  readonly name: string
  /** As it would stand on ssh's command line. */
  readonly alias: string
  readonly user: string | undefined
  readonly port: number | undefined
  /** In place of ~/.ssh/config and /etc/ssh/ssh_config. */
  readonly configFile: string | undefined
}

export interface SshAnswer {
  /** `keyword value` lines. */
  readonly text: string
  /** The files that ssh has read for it, those of `Include` too. */
  readonly files: readonly string[]
}

/** `ssh -G` runs `Match exec` commands of the user's config; they may ask the network. */
const SSH_TIMEOUT = 10_000

/**
 * What `ssh` itself would use for a host, in some 10 ms; undefined when there is no `ssh` on this machine.
 * @param signal ends the asking
 * @throws Problem `SSH_CONFIG` (check) when ssh refuses its config
 */
export function askSsh(inquiry: Inquiry, signal?: AbortSignal): Promise<SshAnswer | undefined> {
  const { name, alias, user, port, configFile } = inquiry
  const args = [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    alias,
  ]
  const options = { timeout: SSH_TIMEOUT, maxBuffer: 4 * 1024 * 1024, signal }
  return new Promise((resolve, reject) => {
    // -v for the names of the files it reads.
    execFile('ssh', ['-v', '-G', ...args], options, (error, stdout, stderr) => {
      if (!error) {
        resolve({ text: stdout, files: filesRead(stderr) })
        return
      }
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        resolve(undefined)
        return
      }
      const reason = error.killed ? 'it did not answer within 10 s' : complaint(stderr) || error.message
      reject(
        new Problem('check', 'SSH_CONFIG', `${name}: ssh cannot read its configuration: ${reason}`, {
          host: name,
          retryable: false,
          hint: `See for yourself: ssh ${['-G', ...args].join(' ')}`,
          cause: error,
        }),
      )
    })
  })
}

function filesRead(stderr: string): string[] {
  return [...stderr.matchAll(/^debug1: Reading configuration data (.+?)\r?$/gm)].map(([, file = '']) => file)
}

function complaint(stderr: string): string {
  return stderr
    .trim()
    .split('\n')
    .filter((line) => !/^(debug\d|OpenSSH_|Pseudo-terminal)/.test(line))
    .join('; ')
}
