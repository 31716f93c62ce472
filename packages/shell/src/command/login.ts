import { randomBytes } from 'node:crypto'
import { type Host, isProblem, Problem } from '@deployfile/core'
import type { Done } from './done.ts'
import type { Order } from './order.ts'
import { quote } from './quote.ts'
import type { Shared } from './shared.ts'

/** nvm alone takes up to a second to start. */
const TIMEOUT = 20_000

/**
 * What the login shell of a host exports, as POSIX sh: asked once in a run, because profiles are slow. Interactive, because that is where
 * nvm, rbenv and asdf put themselves: Debian's ~/.bashrc ends early for everybody else.
 * @throws Problem `LOGIN_SHELL` (check)
 */
export async function loginEnvironment(
  host: Host,
  { logins }: Shared,
  signal: AbortSignal,
  run: (order: Order) => Promise<Done>,
): Promise<string> {
  const key = `${host.stage}/${host.name}`
  for (;;) {
    const known = logins.get(key)
    const asked = known ?? ask(host.name, run)
    logins.set(key, asked)
    try {
      return await asked
    } catch (error) {
      logins.delete(key)
      // Whoever asked first was cancelled; that is not our affair.
      if (known && isProblem(error) && error.code === 'COMMAND_CANCELLED' && !signal.aborted) continue
      throw error
    }
  }
}

async function ask(host: string, run: (order: Order) => Promise<Done>): Promise<string> {
  const token = randomBytes(8).toString('hex')
  const { stdout, stderr, ending } = await run(environmentOrder(token))
  const [, exports] = stdout.split(`${token}\n`)
  if (ending.exitCode === 0 && exports !== undefined) return exports
  const last = `${stdout}\n${stderr}`.trim().split('\n').at(-1) ?? ''
  throw new Problem(
    'check',
    'LOGIN_SHELL',
    `${host}: the login shell did not give its environment${last === '' ? '' : `: ${last}`}`,
    {
      host,
      hint: 'It is started as for a person, with its profile, but without a terminal: look there for exec, exit, tmux or a question. Or take login out, and name the folders of the programs by path.',
      retryable: false,
    },
  )
}

function environmentOrder(token: string): Order {
  // Of those that belong to one shell, none; the rest is said by sh in sh's own words.
  const inner = `unset PWD OLDPWD SHLVL _ DEPLOYFILE_COMMAND DEPLOYFILE_LOGIN; echo ${token}; export -p; echo ${token}`
  const sh = `export DEPLOYFILE_LOGIN=${quote(inner)}
shell=\${SHELL:-/bin/sh}
case $shell in *csh) how=-ic ;; *) how=-ilc ;; esac
exec "$shell" $how 'exec sh -c "$DEPLOYFILE_LOGIN"' </dev/null`
  return {
    text: 'read the environment of the login shell',
    sh,
    reads: true,
    silent: true,
    mute: true,
    bare: true,
    capture: 4 * 1024 * 1024,
    timeout: TIMEOUT,
  }
}
