import { Problem } from '@deployfile/core'
import * as z from 'zod'
import { runSteps } from '../deploy/step.ts'
import { pathInside } from '../option/path.ts'
import { parseOptions } from '../option/parse-options.ts'
import type { RestartContext, RestartStrategy } from './strategy.ts'

export interface Pm2Options {
  /** PM2's file of applications, in the release. Default `ecosystem.config.js`. */
  readonly file?: string
  /** Its `env_<name>` is used: `pm2 --env production`. Default: none. */
  readonly env?: string
  /** Write the list that PM2 starts at boot (`pm2 save`) afterwards. Default false. */
  readonly save?: boolean
}

const schema = z.strictObject({
  file: pathInside.optional(),
  env: z
    .string()
    .regex(/^\w[\w-]*$/, "expected a word, such as 'production'")
    .optional(),
  save: z.boolean().optional(),
})

// Asking PM2 starts its daemon, which a look must not do.
const LIST_SCRIPT = String.raw`
step 'looking for pm2'
command -v pm2 >/dev/null || refuse 'pm2 is not on the PATH of this login'
if kill -0 "$(cat "$${'{PM2_HOME:-$HOME/.pm2}'}/pm2.pid" 2>/dev/null)" 2>/dev/null; then pm2 jlist; else echo '[]'; fi`

const RELOAD_SCRIPT = String.raw`
current=$1 file=$2 env=$3 save=$4
shift 4
cd "$current"
[ -f "$file" ] || refuse "there is no $file in the release"
if [ $# -gt 0 ]; then
  step 'removing what runs from another release'
  pm2 delete "$@" >&2
fi
step "reloading the applications of $file"
if [ -n "$env" ]; then pm2 startOrReload "$file" --cwd "$current" --update-env --env "$env" >&2
else pm2 startOrReload "$file" --cwd "$current" --update-env >&2; fi
if [ "$save" = yes ]; then step 'saving the list'; pm2 save >&2; fi
step 'looking what runs'
pm2 jlist`

const LOOK_SCRIPT = String.raw`
step 'looking what runs'
sleep 1
pm2 jlist`

/** Seconds in one of which everything must have run without an end. */
const LOOKS = 3

/** Of `pm2 jlist`, what matters here. */
interface Running {
  readonly name: string
  readonly id: number
  readonly status: string
  /** How often it was started again since PM2 has it. */
  readonly restarts: number
  /** The script, absolute, as PM2 will start it again. */
  readonly script: string
}

/**
 * Reloads the applications of PM2's file from `current`, and looks whether they still run a second later. PM2 starts what it has where it
 * first found it: what is pinned to a release would serve that one for ever, reloaded or not, so it is removed and started anew.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function pm2(options: Pm2Options = {}): RestartStrategy {
  const { file = 'ecosystem.config.js', env = '', save = false } = parseOptions('pm2', schema, options)
  return {
    name: 'pm2',
    preview: true,
    async restart(context) {
      const { remote, current, deployTo, log } = context
      const pinned = (await list(context)).filter(
        ({ script }) => script.startsWith(`${deployTo}/`) && !script.startsWith(`${current}/`),
      )
      const purpose = { title: `reload ${file}`, code: 'RESTART_FAILED', hint: 'pm2 logs says more.' }
      const values = [current, file, env, save ? 'yes' : 'no', ...pinned.map(({ id }) => String(id))]
      const { stdout } = await runSteps(remote, purpose, RELOAD_SCRIPT, values)
      const names = pinned.map(({ name }) => name).join(', ')
      if (pinned.length > 0) log(`${names} ran from another release, and was started anew`)
      await waitUntilRunning(context, readList(stdout))
      log(`the applications of ${file} are reloaded`)
    },
  }
}

async function list({ remote }: RestartContext): Promise<readonly Running[]> {
  const purpose = { title: 'list what pm2 runs', code: 'RESTART_FAILED', reads: true }
  const { stdout } = await runSteps(remote, purpose, LIST_SCRIPT, [])
  return readList(stdout)
}

function readList(stdout: string): readonly Running[] {
  // Before the list PM2 may say things of its own.
  const json = stdout.split('\n').find((line) => line.startsWith('[{') || line.trim() === '[]') ?? '[]'
  return (JSON.parse(json) as readonly Listed[]).map(readOne)
}

function readOne({ name = '', pm_id: id = -1, pm2_env = {} }: Listed): Running {
  const { status = '', restart_time: restarts = 0, pm_exec_path: script = '' } = pm2_env
  return { name, id, status, restarts, script }
}

interface Listed {
  readonly name?: string
  readonly pm_id?: number
  readonly pm2_env?: {
    readonly status?: string
    readonly restart_time?: number
    readonly pm_exec_path?: string
  }
}

/**
 * What ends at once is started again and again, and counts as online each time. One end may still be that of what ran before, which
 * PM2 had not seen: going back from a release that keeps ending must not fail for that.
 */
async function waitUntilRunning(context: RestartContext, reloaded: readonly Running[]): Promise<void> {
  const { remote, host, current } = context
  const purpose = { title: 'look what runs', code: 'RESTART_FAILED', hint: 'pm2 logs says more.' }
  let before = reloaded
  for (let look = 1; ; look++) {
    const after = readList((await runSteps(remote, purpose, LOOK_SCRIPT, [])).stdout)
    const fault = faultOf(
      after.filter(({ script }) => script.startsWith(`${current}/`)),
      before,
    )
    if (fault === undefined) return
    if (look === LOOKS || fault.status === 'errored') {
      const what = fault.status === 'online' ? 'ends and is started again all the time' : `is ${fault.status}`
      throw new Problem('task', 'RESTART_FAILED', `${host.name}: ${fault.name} ${what}, says pm2`, {
        host: host.name,
        hint: `There: pm2 logs ${fault.name}`,
      })
    }
    before = after
  }
}

function faultOf(ours: readonly Running[], before: readonly Running[]): Running | undefined {
  const down = ours.find(({ status }) => status !== 'online' && status !== 'launching')
  const again = ours.find(({ id, restarts }) =>
    before.some((earlier) => earlier.id === id && earlier.restarts < restarts),
  )
  return down ?? again
}
