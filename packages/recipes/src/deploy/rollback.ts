import { Problem, type PerHost } from '@deployfile/core'
import { goodReleases, type HostState } from './host-state.ts'
import type { HeldLock } from './lock/info.ts'

/**
 * The release to go back to, one for all hosts: the newest that is good on each of them and older than what is live. By name, never
 * by the age of folders. Where hosts differ (a flip was interrupted) the newest of what is live counts, so that a rollback which
 * died half-way ends at the same release when it is typed again; one that died after that, whose lock this run has taken over from the
 * run `dead`, ends at what is live. A release that is named must only be whole: whoever names it knows.
 * @throws Problem (check) `NO_OLDER_RELEASE`, or `NO_SUCH_RELEASE` for one that was named
 */
export function chooseTarget(states: PerHost<HostState>, named?: string, dead?: string): string {
  const isFlipped = dead !== undefined && states.every(({ value }) => value.flipped?.run === dead)
  if (named !== undefined) return checkNamed(states, named, isFlipped)
  const live = states.map(({ value }) => value.live ?? '').reduce((a, b) => (a > b ? a : b), '')
  if (isFlipped && states.some(({ value }) => value.flipped?.off !== undefined)) return live
  const lists = states.map(({ host, value }) => ({
    host,
    older: goodReleases(value).filter((name) => name < live),
  }))
  const target = lists[0]?.older.findLast((name) => lists.every(({ older }) => older.includes(name)))
  if (target !== undefined) return target
  const empty = lists.filter(({ older }) => older.length === 0).map(({ host }) => host.name)
  const where = empty.length > 0 ? `on ${empty.join(', ')}` : 'that all hosts have'
  const each = lists.map(({ host, older }) => `${host.name} has ${older.join(', ') || 'none'}`)
  throw new Problem(
    'check',
    'NO_OLDER_RELEASE',
    `there is no release before ${live} ${where} to go back to`,
    {
      hint: `Good releases older than that: ${each.join('; ')}. Deploy the wanted revision instead: set its full hash as branch.`,
    },
  )
}

function checkNamed(states: PerHost<HostState>, named: string, isFlipped: boolean): string {
  const refuse = (message: string): never => {
    const each = states.map(
      ({ host, value }) => `${host.name} has ${goodReleases(value).join(', ') || 'none'}`,
    )
    throw new Problem('check', 'NO_SUCH_RELEASE', message, { hint: `Good releases: ${each.join('; ')}.` })
  }
  const without = states.filter(
    ({ value }) => !value.releases.some(({ name, complete }) => name === named && complete),
  )
  if (without.length > 0)
    refuse(`the release ${named} is not on ${without.map(({ host }) => host.name).join(', ')}, or not whole`)
  if (!isFlipped && states.every(({ value }) => value.live === named))
    refuse(`the release ${named} is live already`)
  return named
}

/**
 * What a rollback to a release takes `current` off on a host because it is bad; also what a run has taken it off that was killed before
 * it had packed it. A host that lagged behind had nothing bad.
 */
export function badRelease(
  state: HostState | undefined,
  name: string | undefined,
  lock: HeldLock | undefined,
): string | undefined {
  if (state?.live === undefined || name === undefined) return undefined
  const { live, flipped } = state
  if (live > name) return live
  return live === name && flipped && flipped.run === lock?.from ? flipped.off : undefined
}
