import { goodReleases, type HostState } from './host-state.ts'

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
