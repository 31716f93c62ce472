import { milliseconds, Problem, type Duration } from '@deployfile/core'
import * as z from 'zod'
import { runSteps } from '../deploy/step.ts'
import { runUserCommand } from '../deploy/user-command.ts'
import { pathInside } from '../option/path.ts'
import { PROCESS_FUNCTIONS } from './process.ts'
import type { RestartContext } from './strategy.ts'

/** Options of the strategies that signal the process of a pid file. */
export interface SignalOptions {
  /** Below `current`, in a linked folder, or absolute. */
  readonly pidFile?: string
  /** How long the new process may take; default '60s'. */
  readonly wait?: Duration | undefined
  /** A command that starts the application where it is not running, in `current`. Default: that it is not running is a failure. */
  readonly start?: string | undefined
}

export const signalShape = {
  pidFile: z
    .union(
      [pathInside, z.string().startsWith('/')],
      'expected a path inside a release, or one that starts with /',
    )
    .optional(),
  wait: z.custom<Duration>((value) => milliseconds(value) !== undefined, "expected a time: '60s'").optional(),
  start: z.string().trim().min(1, 'a command cannot be empty').optional(),
}

/** A program that is told by signals to take up the release that `current` points to. */
export interface Signalled {
  /** The program's name, as it stands in the list of processes. */
  readonly program: string
  readonly pidFile: string
  /** What is done once `$pid` is known to be its process; `$live` is the release, `$file` the pid file. */
  readonly script: string
  /** For the script, as `$1` and so on. */
  readonly values?: readonly string[]
  readonly hint: string
}

/**
 * Signals the process of a pid file, or starts the application where there is none.
 * @throws Problem (task) `RESTART_FAILED`
 */
export async function restartBySignal(
  context: RestartContext,
  { program, pidFile, script, values = [], hint }: Signalled,
  { wait = '60s', start }: SignalOptions,
): Promise<void> {
  const { remote, host, deployTo, current, log } = context
  const file = pidFile.startsWith('/') ? pidFile : `${current}/${pidFile}`
  const seconds = String(Math.ceil((milliseconds(wait) ?? 0) / 1000))
  const purpose = { title: `restart ${program}`, code: 'RESTART_FAILED', hint }
  const { stdout } = await runSteps(
    remote,
    purpose,
    `to=$1 current=$2 file=$3 program=$4 limit=$5
shift 5
${PROCESS_FUNCTIONS}
step 'looking for ${program}'
live=$(cd -P "$current" && pwd -P)
look "$file"
if [ -z "$pid" ]; then printf 'gone\\t%s\\n' "$gone"; exit 0; fi
${script}`,
    [deployTo, current, file, program, seconds, ...values],
  )
  const gone = stdout
    .split('\n')
    .find((line) => line.startsWith('gone\t'))
    ?.slice('gone\t'.length)
  if (gone === undefined) {
    log(`${program} restarted`)
    return
  }
  if (start === undefined) {
    throw new Problem('task', 'RESTART_FAILED', `${host.name}: ${program} is not running: ${gone}`, {
      host: host.name,
      hint: `Nothing was signalled. Start it there, or give ${program}({ start: 'the command that starts it' }); is its pid file another one: ${program}({ pidFile: '…' }).`,
    })
  }
  log(`${program} is not running: ${gone}; starting it`)
  await runUserCommand({ remote, host }, current, {
    ...{ command: start, what: `starting ${program}`, code: 'RESTART_FAILED' },
    hint: `It ran in ${current}.`,
  })
}
