import { describe, expect, it } from 'vitest'
import { codeFrame, placeOfKey } from '../../src/render/code-frame.ts'
import { createStyle } from '../../src/render/style.ts'

const style = createStyle(false)
const frame = (source: string, line: number, column: number): string =>
  codeFrame(source, { file: 'x', line, column }, style).join('\n')

describe('codeFrame', () => {
  it('shows two lines around, numbered to the same width, with a caret', () => {
    const source = Array.from({ length: 12 }, (_, index) => `line ${String(index + 1)}`).join('\n')
    expect(frame(source, 9, 3)).toBe(
      '     7 | line 7\n     8 | line 8\n  >  9 | line 9\n       |   ^\n    10 | line 10\n    11 | line 11',
    )
  })

  it('ends at both ends of the file, and leaves out the empty line after the last', () => {
    expect(frame('one\ntwo\n', 1, 1)).toBe('  > 1 | one\n      | ^\n    2 | two')
    expect(frame('one\ntwo\n', 2, 3)).toBe('    1 | one\n  > 2 | two\n      |   ^')
  })

  it('keeps the caret right under tabs and Windows line ends', () => {
    expect(frame('\tkey: 1,\r\nnext\r\n', 1, 2)).toBe('  > 1 |   key: 1,\n      |   ^\n    2 | next')
  })

  it('cuts a line that no screen holds, and draws no caret beyond it', () => {
    const [line, caret] = codeFrame('x'.repeat(5000), { file: 'x', line: 1, column: 4000 }, style)
    expect(line).toHaveLength('  > 1 | '.length + 160)
    expect(caret).toBeUndefined()
  })

  it('is empty for a line that is not there', () => {
    expect(codeFrame('one', { file: 'x', line: 7, column: 1 }, style)).toEqual([])
  })
})

describe('placeOfKey', () => {
  const source = `const keep = 1 // keep: old
const app = deploy({
  application: 'x',
  'keep': 5,
})`
  const start = { file: 'x', line: 2, column: 1 }

  it('finds the key below the declaration, quoted or not, not the same word above it', () => {
    expect(placeOfKey(source, start, 'keep')).toEqual({ file: 'x', line: 4, column: 3 })
    expect(placeOfKey(source, start, 'application')).toEqual({ file: 'x', line: 3, column: 3 })
  })

  it('takes the last part of a path, and stays where the key is not written', () => {
    expect(placeOfKey(source, start, 'stages.dev.keep')).toEqual({ file: 'x', line: 4, column: 3 })
    expect(placeOfKey(source, start, 'absent')).toEqual(start)
  })
})
