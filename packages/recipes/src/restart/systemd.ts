import * as z from 'zod'
import { runSteps } from '../deploy/step.ts'
import { faulty } from '../option/faulty.ts'
import { parseOptions } from '../option/parse-options.ts'
import type { RestartStrategy } from './strategy.ts'

export interface SystemdOptions {
  /** A unit or several: `'shop'`, `['shop-web', 'shop-jobs@1.service']`. */
  readonly unit: string | readonly string[]
  /** What is done to it; default 'restart'. */
  readonly action?: 'restart' | 'reload' | 'reload-or-restart'
  /** Of the login's own manager (`systemctl --user`) instead of the system's. Default false. */
  readonly userManager?: boolean
  /** By `sudo -n systemctl …`, which sudoers must allow without a password. Default false. */
  readonly sudo?: boolean
}

const unitName = faulty((name) =>
  /^[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\@-]*$/.test(name)
    ? undefined
    : `${JSON.stringify(name)} is not the name of a unit, such as shop.service`,
)
const schema = z
  .strictObject({
    unit: z.union([unitName, z.array(unitName).min(1)]),
    action: z.enum(['restart', 'reload', 'reload-or-restart']).optional(),
    userManager: z.boolean().optional(),
    sudo: z.boolean().optional(),
  })
  .refine(
    ({ userManager, sudo }) => !(userManager === true && sudo === true),
    'userManager is the manager of the login itself: without sudo',
  )

// A service of Type=simple counts as started before it has done anything: what ended at once is seen by asking again. A login over
// ssh may have no XDG_RUNTIME_DIR, without which the user's manager is not found.
const SCRIPT = String.raw`
action=$1 scope=$2 by=$3
shift 3
if [ "$scope" = user ]; then
  scope=--user
  : "$${'{XDG_RUNTIME_DIR:=/run/user/$(id -u)}'}"
  export XDG_RUNTIME_DIR
else scope=--system; fi
as() { if [ "$by" = sudo ]; then sudo -n "$@"; else "$@"; fi; }
step "systemctl $action $*"
# Why is in its first line; the last one says where to look.
said=$(as systemctl "$scope" --no-ask-password "$action" "$@" 2>&1) || {
  printf '%s\n' "$said" >&2
  refuse "$(printf '%s\n' "$said" | head -n 1)"
}
if [ -n "$said" ]; then printf '%s\n' "$said"; fi
step 'looking whether it runs'
for unit in "$@"; do
  state=$(systemctl "$scope" is-active "$unit") || {
    systemctl "$scope" --no-pager --lines=20 status "$unit" >&2 || :
    refuse "$unit is $state"
  }
done`

/**
 * Restarts units of systemd, and looks whether they run afterwards.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function systemd(options: SystemdOptions): RestartStrategy {
  const {
    unit,
    action = 'restart',
    userManager = false,
    sudo = false,
  } = parseOptions('systemd', schema, options)
  const units = [unit].flat()
  return {
    name: 'systemd',
    preview: true,
    async restart({ remote, log, host }) {
      const rule = `${host.user ?? 'deploy'} ALL=(root) NOPASSWD: /usr/bin/systemctl --system --no-ask-password ${action} ${units.join(' ')}`
      const hint = userManager
        ? `As that login: systemctl --user status ${units.join(' ')}. To run without a login it needs: loginctl enable-linger`
        : `There: systemctl status ${units.join(' ')}. Where the login may not restart it: systemd({ unit: …, sudo: true }), and in sudoers: ${rule}`
      const purpose = { title: `${action} ${units.join(' ')}`, code: 'RESTART_FAILED', hint }
      const scope = userManager ? 'user' : 'system'
      await runSteps(remote, purpose, SCRIPT, [action, scope, sudo ? 'sudo' : 'login', ...units])
      log(`${units.join(', ')}: ${action} done`)
    },
  }
}
