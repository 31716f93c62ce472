import { type Host, type PerHost } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import type { HostState, ReleaseDir } from '../../src/deploy/host-state.ts'
import { chooseTarget } from '../../src/deploy/rollback.ts'

const host = (name: string): Host => ({
  ...{
    name,
    stage: 'production',
    roles: ['app'],
    transport: 'ssh',
    address: name,
    primary: false,
    props: {},
  },
})
const dir = (text: string): ReleaseDir => ({
  ...{ name: text.replace(/\W.*/, ''), complete: !text.includes('?') },
  ...(text.includes('-') && { state: 'rolled-back' as const }),
})
/** `'3: 1 2? 3'`: live is 3; `?` has no REVISION, `-` was rolled back. */
const states = (...texts: string[]): PerHost<HostState> => {
  const list = texts.map((text, index) => {
    const [live = '', dirs = ''] = text.split(': ')
    return {
      host: host(`web${index + 1}`),
      value: { live, link: live, releases: dirs.split(' ').map(dir), hidden: [], old: [], building: [] },
    }
  })
  return Object.assign(list, { get: () => undefined })
}

describe('the release to go back to', () => {
  it('is the one before the live one, by name', () => {
    expect(chooseTarget(states('3: 1 2 3'))).toBe('2')
    expect(chooseTarget(states('2: 1 2 3'))).toBe('1')
  })

  it('is never one that is not whole or was rolled back', () => {
    expect(chooseTarget(states('4: 1 2? 3- 4'))).toBe('1')
  })

  it('is one that every host has', () => {
    expect(chooseTarget(states('3: 1 2 3', '3: 1 3'))).toBe('1')
  })

  it('is the same when a rollback died half-way and is typed again', () => {
    expect(chooseTarget(states('2: 1 2 3', '3: 1 2 3'))).toBe('2')
  })

  it('is the live one where the run that put all hosts there was killed before its end', () => {
    const flipped = (hosts: PerHost<HostState>, ...flips: readonly HostState['flipped'][]) =>
      Object.assign(
        hosts.map((one, index) => ({ ...one, value: { ...one.value, flipped: flips[index] } })),
        { get: () => undefined },
      ) as PerHost<HostState>
    const [back, kept] = [{ run: 'dead', off: '3' }, { run: 'dead' }]
    const hosts = states('2: 1 2 3-', '2: 1 2')
    expect(chooseTarget(flipped(hosts, back, kept), undefined, 'dead')).toBe('2')
    expect(chooseTarget(flipped(hosts, back, kept), undefined, 'other')).toBe('1')
    expect(chooseTarget(flipped(hosts, back, kept))).toBe('1')
    // One that was killed deploying it.
    expect(chooseTarget(flipped(hosts, kept, kept), undefined, 'dead')).toBe('1')
    expect(chooseTarget(flipped(hosts, back, kept), '2', 'dead')).toBe('2')
    expect(() => chooseTarget(flipped(hosts, back, kept), '2', 'other')).toThrow(
      'the release 2 is live already',
    )
  })

  it('may be named: any that is whole on every host, also one that is newer, or was rolled back', () => {
    expect(chooseTarget(states('3: 1 2 3'), '1')).toBe('1')
    expect(chooseTarget(states('2: 1 2 3-'), '3')).toBe('3')
    expect(() => chooseTarget(states('3: 1 2? 3'), '2')).toThrow('the release 2 is not on web1, or not whole')
    expect(() => chooseTarget(states('3: 1 2 3', '3: 1 3'), '2')).toThrow('the release 2 is not on web2')
    expect(() => chooseTarget(states('3: 1 3'), '3')).toThrow('the release 3 is live already')
    expect(chooseTarget(states('3: 1 3', '1: 1 3'), '3')).toBe('3')
  })

  it('does not exist before the first, and says where', () => {
    expect(() => chooseTarget(states('1: 1'))).toThrow('there is no release before 1 on web1 to go back to')
    expect(() => chooseTarget(states('3: 1 3', '3: 2 3'))).toThrow(
      'there is no release before 3 that all hosts have',
    )
  })
})
