import { describe, expect, it } from 'vitest'
import { staleReleases } from '../../src/deploy/cleanup.ts'
import type { HostState, ReleaseDir } from '../../src/deploy/host-state.ts'

const good = (name: string): ReleaseDir => ({ name, complete: true })
const state = (live: string, ...releases: ReleaseDir[]): HostState => ({
  live,
  link: live,
  releases,
  ...{ hidden: [], old: [], building: [] },
})

describe('cleanup', () => {
  it('keeps the last good ones by name', () => {
    expect(staleReleases(state('4', ...['1', '2', '3', '4'].map(good)), 2)).toEqual(['1', '2'])
    expect(staleReleases(state('2', ...['1', '2'].map(good)), 5)).toEqual([])
  })

  it('never removes the live release, however old', () => {
    expect(staleReleases(state('1', ...['1', '2', '3', '4'].map(good)), 2)).toEqual(['2'])
  })

  it('does not count bad releases, and removes those that are older than the live one', () => {
    const bad: ReleaseDir = { name: '3', complete: true, state: 'rolled-back' }
    expect(staleReleases(state('4', good('1'), good('2'), bad, good('4')), 3)).toEqual(['3'])
    expect(staleReleases(state('2', good('1'), good('2'), bad), 3)).toEqual([])
  })

  it('leaves an unknown folder alone until everything that is kept is newer', () => {
    const unknown: ReleaseDir = { name: '2', complete: false }
    expect(staleReleases(state('3', good('1'), unknown, good('3')), 2)).toEqual([])
    expect(staleReleases(state('4', good('1'), unknown, good('3'), good('4')), 2)).toEqual(['1', '2'])
    expect(staleReleases(state('1', good('1'), unknown), 1)).toEqual([])
  })

  it('never removes what is being built, and what Capistrano left only when it is older than the live release', () => {
    const building: ReleaseDir = { name: '1', complete: false, state: 'building' }
    const left: ReleaseDir = { name: '2', complete: true, neverLive: true }
    expect(staleReleases(state('3', building, left, good('3')), 1)).toEqual(['2'])
    expect(staleReleases(state('1', good('1'), left), 1)).toEqual([])
  })

  it('keeps the last failed releases that were kept', () => {
    const hidden = ['.1.failed', '.2.failed', '.3.failed', '.4']
    expect(staleReleases({ ...state('5', good('5')), hidden }, 2)).toEqual(['.1.failed'])
  })
})
