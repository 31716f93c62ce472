import { describe, expect, it } from 'vitest'
import { goodReleases, readState } from '../../src/deploy/host-state.ts'

const names = ['20260101000000', '20260202000000', '20260303000000', '20260404000000'] as const
const [one, two, three, four] = names
const dirs = names.map((name) => `release\t${name}\tcomplete\n`).join('')

describe('releases that Capistrano made', () => {
  it('are good where it has kept no log', () => {
    expect(goodReleases(readState(dirs))).toEqual(names)
  })

  it('are not where its log names others, older ones too, and not them: that deploy failed', () => {
    const state = readState(`${dirs}logged\t${two}\nlogged\t${four}\n`)
    expect(goodReleases(state)).toEqual([one, two, four])
    expect(state.releases.map(({ neverLive }) => neverLive === true)).toEqual([false, false, true, false])
  })

  it('are when they are live, whatever the log says', () => {
    expect(goodReleases(readState(`live\t${three}\n${dirs}logged\t${one}\n`))).toEqual([one, three])
  })

  it('are not without REVISION', () => {
    expect(goodReleases(readState(`release\t${one}\t-\nrelease\t${two}\tcomplete\n`))).toEqual([two])
  })
})

describe('how current came to be where it is', () => {
  const said = (...lines: readonly (readonly [string, string, string])[]): string =>
    lines
      .map(([release, state, run]) => `ledger\t${JSON.stringify({ release, state, run, at: '' })}\n`)
      .join('')
  const flipped = (text: string) => readState(`live\t${two}\n${dirs}${text}`).flipped

  it('is known from the ledger: which run, and off which bad release', () => {
    expect(flipped(said([two, 'live', 'a']))).toEqual({ run: 'a' })
    expect(flipped(said([three, 'live', 'a'], [three, 'rolled-back', 'b'], [two, 'live', 'b']))).toEqual({
      run: 'b',
      off: three,
    })
    expect(flipped(said([three, 'rolled-back', 'a'], [two, 'live', 'b']))).toEqual({ run: 'b' })
  })

  it('is not where it says nothing of the live release, or another', () => {
    expect(flipped('')).toBeUndefined()
    expect(flipped(said([three, 'live', 'a']))).toBeUndefined()
    expect(flipped(said([two, 'building', 'a']))).toBeUndefined()
  })
})
