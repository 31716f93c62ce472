import { Problem, type PerHost } from '@deployfile/core'
import { goodReleases, type HostState } from './host-state.ts'

/**
 * The release to go back to, one for all hosts: the newest that is good on each of them and older than what is live. By name, never
 * by the age of folders. Where hosts differ (a flip was interrupted) the newest of what is live counts, so that a rollback which
 * died half-way ends at the same release when it is typed again.
 * @throws Problem (check) `NO_OLDER_RELEASE`
 */
export function chooseTarget(states: PerHost<HostState>): string {
  const live = states.map(({ value }) => value.live ?? '').reduce((a, b) => (a > b ? a : b), '')
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
