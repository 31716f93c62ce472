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

/** Of `pm2 jlist`, what matters here. */
interface Running {
  readonly name: string
  readonly id: number
  readonly status: string
  /** The script, absolute, as PM2 will start it again. */
  readonly script: string
}

/**
 * Reloads the applications of PM2's file from `current`. PM2 starts what it has where it first found it: what is pinned to a release
 * would serve that one for ever, reloaded or not, so it is removed and started anew.
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
      checkOnline(context, readList(stdout))
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
  return (JSON.parse(json) as readonly Listed[]).map(
    ({ name = '', pm_id: id = -1, pm2_env: { status = '', pm_exec_path: script = '' } = {} }) => ({
      name,
      id,
      status,
      script,
    }),
  )
}

interface Listed {
  readonly name?: string
  readonly pm_id?: number
  readonly pm2_env?: { readonly status?: string; readonly pm_exec_path?: string }
}

function checkOnline({ host, current }: RestartContext, running: readonly Running[]): void {
  const failed = running.find(
    ({ script, status }) => script.startsWith(`${current}/`) && status !== 'online' && status !== 'launching',
  )
  if (failed === undefined) return
  throw new Problem('task', 'RESTART_FAILED', `${host.name}: ${failed.name} is ${failed.status}, says pm2`, {
    host: host.name,
    hint: `There: pm2 logs ${failed.name}`,
  })
}
