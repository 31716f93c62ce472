import { goodReleases, type HostState } from './host-state.ts'

/**
 * Which releases cleanup removes: of the good ones all but the last `keep` by name; of the bad ones (rolled back, failed) those older
 * than the live one; folders that nobody knows anything about only when older than everything that is kept. Never the live one.
 */
export function staleReleases(state: HostState, keep: number): readonly string[] {
  const { live, releases } = state
  const good = goodReleases(state)
  const kept = new Set(good.slice(-keep))
  const oldest = good.at(-keep)
  return releases
    .filter(({ name, state: known }) => {
      if (name === live || kept.has(name)) return false
      if (good.includes(name)) return true
      if (known === 'rolled-back' || known === 'failed') return live !== undefined && name < live
      // A release that is being built, by us or by Capistrano, is newer than what is kept.
      return oldest !== undefined && name < oldest
    })
    .map(({ name }) => name)
}
