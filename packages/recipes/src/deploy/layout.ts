import { Problem, type BaseContext, type Host, type Shell } from '@deployfile/core'

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
  const start = starts.get(remote.host) ?? (await remote.capture`pwd`)
  if (!start.startsWith('/')) {
    throw new Problem(
      'check',
      'DEPLOY_TO_UNKNOWN',
      `${remote.host.name} does not say where '${deployTo}' is`,
      {
        host: remote.host.name,
        hint: 'Give an absolute deployTo.',
      },
    )
  }
  starts.set(remote.host, start)
  return layoutOf(start === '/' ? `/${deployTo}` : `${start}/${deployTo}`)
}

/** Asked once: every step wants to know, and each question is a round trip. */
const starts = new WeakMap<Host, string>()
