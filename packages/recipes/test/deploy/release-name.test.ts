import { describe, expect, it } from 'vitest'
import { nextReleaseName, releaseName, releaseTime } from '../../src/deploy/release-name.ts'

const noon = new Date('2026-11-23T12:00:00.900Z')

describe('the name of a release', () => {
  it('is the UTC time to the second, as Capistrano writes it', () => {
    expect(releaseName(noon)).toBe('20261123120000')
  })

  it('is now where nothing newer is there', () => {
    expect(nextReleaseName(noon, [])).toBe('20261123120000')
    expect(nextReleaseName(noon, ['20261123115959', '20250101000000'])).toBe('20261123120000')
  })

  it('is a second after the newest where that is as new or newer, also across a year', () => {
    expect(nextReleaseName(noon, ['20261123120000'])).toBe('20261123120001')
    expect(nextReleaseName(noon, ['20261231235959', '20260101000000'])).toBe('20270101000000')
  })

  it.each(['20261399000000', '99999999999999', '20260230000000', '2026', ''])('is no time: %s', (name) => {
    expect(releaseTime(name)).toBeUndefined()
  })
})
