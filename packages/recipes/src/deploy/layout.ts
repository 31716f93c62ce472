import { Problem, type BaseContext, type Host, type Shell } from '@deployfile/core'
import { runSteps, type Purpose } from './step.ts'

/** What every body of this recipe gets: it runs on one host. */
export type OnHost = BaseContext & { readonly host: Host; readonly remote: Shell }

/** Capistrano 3's places below `deployTo`, all absolute and without a trailing slash. */
export interface Layout {
  readonly deployTo: string
  readonly current: string
  readonly releases: string
  readonly shared: string
  /** The bare mirror. */
  readonly repo: string
  readonly revisionLog: string
  /** The one entry of ours. */
  readonly own: string
  readonly ledger: string
}

export function layoutOf(deployTo: string): Layout {
  const own = `${deployTo}/.deployfile`
  return {
    deployTo,
    current: `${deployTo}/current`,
    releases: `${deployTo}/releases`,
    shared: `${deployTo}/shared`,
    repo: `${deployTo}/repo`,
    revisionLog: `${deployTo}/revisions.log`,
    own,
    ledger: `${own}/releases.jsonl`,
  }
}

/**
 * The layout on a host. An absolute `deployTo` is used exactly as configured, links in it unresolved, because Capistrano compares
 * link texts as strings; a relative one is below the folder in which the host's shell starts (the home, or a local host's root).
 */
export async function locate(remote: Shell, deployTo: string): Promise<Layout> {
  if (deployTo.startsWith('/')) return layoutOf(deployTo)
  return layoutBelow(remote, starts.get(remote.host) ?? (await remote.capture`pwd`), deployTo)
}

// Makes $1 absolute, and tells where the shell starts.
const WHERE = String.raw`
step 'looking where it is'
start=$(pwd)
printf 'start\t%s\n' "$start"
case $start in /) top=/$1 ;; /*) top=$start/$1 ;; *) exit 0 ;; esac
shift
set -- "$top" "$@"
`

/**
 * {@link runSteps} with an absolute `deployTo` as $1 before `values`. Where a relative one is does not take a question of its own: the
 * first script that needs it finds out.
 * @throws Problem `DEPLOY_TO_UNKNOWN` (check), and what runSteps throws
 */
export async function runLocated(
  remote: Shell,
  purpose: Purpose,
  text: string,
  deployTo: string,
  values: readonly string[],
): Promise<{ readonly layout: Layout; readonly stdout: string }> {
  if (deployTo.startsWith('/') || starts.has(remote.host)) {
    const layout = await locate(remote, deployTo)
    return { layout, stdout: (await runSteps(remote, purpose, text, [layout.deployTo, ...values])).stdout }
  }
  const { stdout } = await runSteps(remote, purpose, WHERE + text, [deployTo, ...values])
  const end = stdout.indexOf('\n')
  const layout = layoutBelow(remote, stdout.slice(0, end).replace('start\t', ''), deployTo)
  return { layout, stdout: stdout.slice(end + 1) }
}

function layoutBelow(remote: Shell, start: string, deployTo: string): Layout {
  const { host } = remote
  if (!start.startsWith('/')) {
    throw new Problem('check', 'DEPLOY_TO_UNKNOWN', `${host.name} does not say where '${deployTo}' is`, {
      host: host.name,
      hint: 'Give an absolute deployTo.',
    })
  }
  starts.set(host, start)
  return layoutOf(start === '/' ? `/${deployTo}` : `${start}/${deployTo}`)
}

/** Asked once: every step wants to know, and each question is a round trip. */
const starts = new WeakMap<Host, string>()
