import { describe, expect, it } from 'vitest'
import { bytes, transferText } from '../../src/render/transfer-text.ts'

const MB = 1_000_000
const text = (done: number, total: number | undefined, milliseconds: number, before = 0): string =>
  transferText(
    { bytes: done, ...(total !== undefined && { total }) },
    { at: 0, bytes: before, for: milliseconds },
  )

describe('a file on its way', () => {
  it('has its size, rate and the time that is left', () => {
    expect(text(12 * MB, 48 * MB, 3000)).toBe('12.0 MB of 48.0 MB (25%)  4.0 MB/s  00:09 left')
  })

  it('has a rate of what was sent since it was first told of', () => {
    expect(text(12 * MB, 48 * MB, 2000, 10 * MB)).toBe('12.0 MB of 48.0 MB (25%)  1.0 MB/s  00:36 left')
  })

  it('has no rate in its first second, nor when nothing moves', () => {
    expect(text(MB, 4 * MB, 999)).toBe('1.0 MB of 4.0 MB (25%)')
    expect(text(MB, 4 * MB, 5000, MB)).toBe('1.0 MB of 4.0 MB (25%)')
  })

  it('without a size has what there is and its rate', () => {
    expect(text(1500, undefined, 1500)).toBe('1.5 kB  1.0 kB/s')
  })

  it('that is there has no time left', () => {
    expect(text(4 * MB, 4 * MB, 2000)).toBe('4.0 MB of 4.0 MB (100%)  2.0 MB/s')
  })
})

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [5_300_000_000, '5.3 GB'],
  ])('%d', (number, said) => {
    expect(bytes(number)).toBe(said)
  })
})
