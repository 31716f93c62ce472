import * as z from 'zod'
import { isProblem, Problem } from '@deployfile/core'
import { parseOptions } from '../option/parse-options.ts'
import type { RestartContext, RestartStrategy } from './strategy.ts'

export interface PassengerOptions {
  /** Always touch `tmp/restart.txt`, also where `passenger-config` is there. Default false. */
  readonly touch?: boolean
}

const schema = z.strictObject({ touch: z.boolean().optional() })

/**
 * Restarts a Phusion Passenger application: by `passenger-config restart-app`, which takes effect at once, where the host's PATH has
 * it and it finds the application; else by touching `current/tmp/restart.txt`, which takes effect with a request of the
 * next ten seconds (Passenger looks no more often than PassengerStatThrottleRate says).
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function passenger(options: PassengerOptions = {}): RestartStrategy {
  const { touch = false } = parseOptions('passenger', schema, options)
  return {
    name: 'passenger',
    preview: true,
    async restart(context) {
      const program = touch ? undefined : await findProgram(context)
      if (program === undefined || !(await restartApp(context, program))) await touchRestart(context)
    },
  }
}

async function findProgram({ remote }: RestartContext): Promise<string | undefined> {
  const { stdout } = await remote.script('command -v passenger-config || :', [], { reads: true })
  return stdout.trim() === '' ? undefined : stdout.trim()
}

// It ends well without a restart where it finds no such application, and that may only mean that the login may not see it; it fails
// where it finds no Passenger, which may only mean that it looks in another folder than Apache's. The file is seen by whoever runs.
async function restartApp(context: RestartContext, program: string): Promise<boolean> {
  const { remote, deployTo, host, log, dryRun } = context
  try {
    // The slash matters: the name is matched as a prefix, and /srv/app would restart /srv/app2 as well (Passenger's own help).
    const { stdout } = await remote.run(program, ['restart-app', `${deployTo}/`, '--ignore-app-not-running'])
    const isDone = dryRun === true || /^Restarting /m.test(stdout)
    log(isDone ? 'restarted by passenger-config' : 'passenger-config finds no running application here')
    return isDone
  } catch (error) {
    if (!isProblem(error) || error.code !== 'COMMAND_FAILED') throw error
    const { tail = [] } = error.details.command ?? {}
    if (tail.some((line) => line.includes('seem to be running'))) {
      log('passenger-config finds no running Passenger here')
      return false
    }
    const why = tail.findLast((line) => line.trim() !== '')
    throw new Problem(
      'task',
      'RESTART_FAILED',
      `${host.name}: Passenger did not restart${why ? `: ${why}` : ''}`,
      {
        host: host.name,
        hint: 'Where several Passengers run on the host, or the login may not restart it, use passenger({ touch: true }).',
        command: error.details.command,
        cause: error,
      },
    )
  }
}

// A folder that is new in a release would make it the youngest, and Capistrano's rollback goes by age: its time is put back.
const TOUCH_SCRIPT = `# touch tmp/restart.txt
cd "$1"
if [ ! -d tmp ]; then
  stamp=$(mktemp)
  touch -r . "$stamp"
  mkdir tmp
  touch -r "$stamp" .
  rm -f "$stamp"
fi
touch tmp/restart.txt`

async function touchRestart({ remote, current, log }: RestartContext): Promise<void> {
  await remote.script(TOUCH_SCRIPT, [current])
  log('touched tmp/restart.txt: a request of the next ten seconds starts the new release')
}
