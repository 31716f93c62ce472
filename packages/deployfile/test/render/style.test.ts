import { describe, expect, it } from 'vitest'
import { clock, count, duration } from '../../src/render/duration.ts'
import { bytes } from '../../src/render/transfer-text.ts'
import { createStyle, printable, wantsColor } from '../../src/render/style.ts'

const terminal = { write: () => true, isTTY: true }
const pipe = { write: () => true }

describe('colours', () => {
  it.each([
    [terminal, {}, true],
    [pipe, {}, false],
    [terminal, { NO_COLOR: '1' }, false],
    [terminal, { NO_COLOR: '' }, true],
    [terminal, { TERM: 'dumb' }, false],
    [pipe, { FORCE_COLOR: '1' }, true],
    [pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    [terminal, { FORCE_COLOR: '0' }, false],
  ])('%#', (output, env, expected) => {
    expect(wantsColor(output, env)).toBe(expected)
  })

  it('are escape codes or nothing', () => {
    expect(createStyle(true).red('x')).toBe('\u001b[31mx\u001b[39m')
    expect(createStyle(false).red('x')).toBe('x')
  })
})

describe('printable', () => {
  it.each([
    ['plain', 'plain'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b[2J\u001b[Hcleared', 'cleared'],
    ['10%\r50%\r100%', '100%'],
    ['done\r\n', 'done'],
    ['a\tb\u0007', 'a  b'],
    ['ünïcode ✔', 'ünïcode ✔'],
  ])('%j', (line, expected) => {
    expect(printable(line)).toBe(expected)
  })
})

it.each([
  [345, '0.34s'],
  [12_340, '12.3s'],
  [59_940, '59.9s'],
  [59_970, '1m00s'],
  [125_000, '2m05s'],
  [3_725_000, '62m05s'],
])('duration of %i ms', (milliseconds, expected) => {
  expect(duration(milliseconds)).toBe(expected)
})

it('counts time, things and bytes', () => {
  expect([clock(0), clock(65_999), clock(6_000_000)]).toEqual(['00:00', '01:05', '100:00'])
  expect([count(1, 'host'), count(3, 'host')]).toEqual(['1 host', '3 hosts'])
  expect([bytes(999), bytes(1_234_567)]).toEqual(['999 B', '1.2 MB'])
})
