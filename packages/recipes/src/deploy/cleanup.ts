import { goodReleases, type HostState } from './host-state.ts'
import type { Release } from './before-migrate.ts'

/**
 * The state of a host once the release of this run is live there, from that before: looking again would be a round trip. What was live
 * counts as good, also where its run died before it said so: the build has said it.
 */
export function withRelease(state: HostState, { name, revision }: Release): HostState {
  const before = state.releases.filter((one) => one.name !== name)
  const said = before.map((one) =>
    one.name === state.live && one.state === 'building' ? ({ ...one, state: 'live' } as const) : one,
  )
  return { ...state, live: name, releases: [...said, { name, complete: true, revision, state: 'live' }] }
}

/**
 * Which folders cleanup removes: of the good releases all but the last `keep` by name; of the bad ones (rolled back, failed) those older
 * than the live one; of the failed ones that were kept all but the last `keep`; folders that nobody knows anything about only when
 * older than everything that is kept. Never the live one, nor one that is being built.
 */
export function staleReleases(state: HostState, keep: number): readonly string[] {
  const { live, releases, hidden } = state
  const good = goodReleases(state)
  const kept = new Set(good.slice(-keep))
  const oldest = good.at(-keep)
  const stale = releases.filter(({ name, state: known, neverLive }) => {
    if (name === live || kept.has(name) || known === 'building') return false
    if (good.includes(name)) return true
    if (known === 'rolled-back' || known === 'failed') return live !== undefined && name < live
    // What Capistrano is building right now looks like what its failed deploys have left: it is newer than what is live.
    if (neverLive === true) return live !== undefined && name < live
    return oldest !== undefined && name < oldest
  })
  const failed = hidden.filter((name) => name.endsWith('.failed')).sort()
  return [...stale.map(({ name }) => name), ...failed.slice(0, -keep)]
}
