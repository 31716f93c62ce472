import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Problem, redact, type SecretReader } from '@deployfile/core'

/** A password manager may have to be unlocked by hand. */
const COMMAND_TIMEOUT = 120_000
const LIMIT = 1024 * 1024

/** Secrets from files, commands and the terminal of this machine. @param root where relative paths and commands start */
export function createSecretReader(root: string): SecretReader {
  return {
    file(path) {
      const home = path === '~' || path.startsWith('~/')
      const whole = home ? `${homedir()}${path.slice(1)}` : resolve(root, path)
      try {
        return readFileSync(whole, 'utf8')
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException
        const why = code === 'ENOENT' ? 'it is not there' : code === 'EACCES' ? 'permission denied' : message
        throw missing(
          `the secret file ${path} cannot be read: ${why}`,
          `It was looked for at ${whole}.`,
          cause,
        )
      }
    },
    command(command) {
      const [file = '', ...args] = typeof command === 'string' ? ['sh', '-c', command] : command
      const text = typeof command === 'string' ? command : command.join(' ')
      const done = spawnSync(file, args, {
        cwd: root,
        encoding: 'utf8',
        // What it has to ask it asks on the terminal itself, as gpg and ssh-add do.
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: COMMAND_TIMEOUT,
        maxBuffer: LIMIT,
      })
      if (done.error)
        throw missing(`the secret command ${text} did not run: ${whyNot(done.error)}`, undefined, done.error)
      if (done.status === 0) return done.stdout
      const last = redact(done.stderr.trim().split('\n').at(-1) ?? '')
      const how =
        done.status === null
          ? `was killed by ${String(done.signal)}`
          : `failed with exit code ${String(done.status)}`
      throw missing(`the secret command ${text} ${how}${last === '' ? '' : `: ${last}`}`)
    },
    prompt(label, variable) {
      const done = spawnSync('sh', ['-c', ASK, 'sh', label], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      if (done.status === 0) return done.stdout
      if (done.status === NO_TERMINAL)
        throw missing(
          `there is no terminal to ask for the ${label} on`,
          `Set it for this command: ${variable}=… npx deployfile …`,
        )
      throw missing(`nobody gave the ${label}`, `Set ${variable} where nobody can be asked.`)
    },
  }
}

const NO_TERMINAL = 3

// In a program of its own, in our process group: Ctrl-C ends it, and whatever happens the terminal shows again what is typed.
const ASK = `( : 3<>/dev/tty ) 2>/dev/null || exit ${String(NO_TERMINAL)}
exec 3<>/dev/tty
before=$(stty -g <&3) || exit ${String(NO_TERMINAL)}
trap 'stty "$before" <&3; echo >&3' EXIT
trap 'exit 1' HUP INT TERM
stty -echo <&3
printf '%s: ' "$1" >&3
IFS= read -r answer <&3 || exit 1
printf %s "$answer"`

function whyNot(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'there is no such program'
  if (error.code === 'ETIMEDOUT') return `it did not end within ${String(COMMAND_TIMEOUT / 1000)} s`
  if (error.code === 'ENOBUFS') return 'it printed more than 1 MiB'
  return error.message
}

function missing(message: string, hint?: string, cause?: unknown): Problem {
  return new Problem('check', 'SECRET_MISSING', message, { hint, cause })
}
