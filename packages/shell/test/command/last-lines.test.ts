import { describe, expect, it } from 'vitest'
import { createLastLines, type LastLines } from '../../src/command/last-lines.ts'

/** `o` is a line of standard output, `e` one of standard error: `o1`, `e2`, … */
function said(streams: string): LastLines {
  const last = createLastLines()
  for (const [index, letter] of Array.from(streams).entries())
    last.add({ stream: letter === 'e' ? 'stderr' : 'stdout', line: `${letter}${String(index)}` })
  return last
}

const shown = (last: LastLines): string => last.output.map(({ line }) => line).join(' ')
const letters = (last: LastLines): string => last.output.map(({ line }) => line[0]).join('')

describe('the last that a command said', () => {
  it('is what both streams said, as it came', () => {
    expect(shown(said('oeoeo'))).toBe('o0 e1 o2 e3 o4')
    expect(shown(said(''))).toBe('')
  })

  it('is 20 lines of one stream', () => {
    expect(shown(said('o'.repeat(22)))).toMatch(/^o2 .* o21$/)
    expect(shown(said('e'.repeat(22)))).toMatch(/^e2 .* e21$/)
  })

  it('keeps an error however much of standard output follows', () => {
    expect(shown(said(`ee${'o'.repeat(1000)}`))).toMatch(/^e0 e1 o984 .* o1001$/)
    expect(letters(said(`ee${'o'.repeat(1000)}`))).toBe(`ee${'o'.repeat(18)}`)
  })

  it('keeps 15 of standard error and 5 of standard output where both are long', () => {
    expect(letters(said(`${'e'.repeat(30)}${'o'.repeat(30)}`))).toBe('e'.repeat(15) + 'o'.repeat(5))
    expect(letters(said(`${'o'.repeat(30)}${'e'.repeat(30)}`))).toBe('o'.repeat(5) + 'e'.repeat(15))
    expect(letters(said(`${'e'.repeat(30)}oo`))).toBe(`${'e'.repeat(18)}oo`)
  })

  it('gives its reason from standard error, or from standard output when that is empty', () => {
    expect(said('oeo').tail).toEqual(['e1'])
    expect(said('oo').tail).toEqual(['o0', 'o1'])
    expect(said('o'.repeat(30)).tail).toHaveLength(20)
  })
})
