import { describe, expect, it } from 'vitest'
import { cut, wrapped } from '../../src/render/width.ts'

describe('a paragraph', () => {
  it('is broken between words, and what follows hangs below its beginning', () => {
    expect(wrapped('one two three four five', 21, '  - ', '    ')).toEqual([
      '  - one two three',
      '    four five',
    ])
  })

  it('may fill a line to its end', () => {
    expect(wrapped('aaaa bbbbb ccccc dddd', 20)).toEqual(['aaaa bbbbb ccccc', 'dddd'])
    expect(wrapped('aaaa bbbbb ccccc ddd', 20)).toEqual(['aaaa bbbbb ccccc ddd'])
  })

  it('keeps a word that is longer than a line', () => {
    const path = `/${'x'.repeat(30)}`
    expect(wrapped(`in ${path} below`, 20, '  ')).toEqual(['  in', `  ${path}`, '  below'])
  })

  it('is one line where there is no screen', () => {
    expect(wrapped('one two three', undefined, '  ')).toEqual(['  one two three'])
  })
})

it('a line that is too long ends with …', () => {
  expect(cut('x'.repeat(21), 20)).toBe(`${'x'.repeat(19)}…`)
  expect(cut('x'.repeat(20), 20)).toBe('x'.repeat(20))
  expect(cut('x'.repeat(99), undefined)).toBe('x'.repeat(99))
})
