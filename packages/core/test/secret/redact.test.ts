import { createRedactor, redact, reveal, secret } from '@deployfile/core'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

const KEY = [
  '-----BEGIN PRIVATE KEY-----',
  'MIIEvQIBADANBgkq',
  'hkiG9w0BAQEFAASC',
  '-----END PRIVATE KEY-----',
  '',
].join('\n')
// They overlap each other and themselves on purpose.
const VALUES = ['abcabc', 'cabx', 'aaaa', 'abcabcabcd', "it's a pass/word+1", KEY]

const know = (value: string): void => {
  vi.stubEnv('REDACTED', value)
  reveal(secret.env('REDACTED'))
}

beforeAll(() => {
  for (const value of VALUES) know(value)
  vi.unstubAllEnvs()
})
afterEach(() => void vi.unstubAllEnvs())

describe('a whole text', () => {
  test('overlapping secrets are one ***, and nothing of either is left', () => {
    expect(redact('<abcabcabx>')).toBe('<***>')
    expect(redact('aaaaaaab')).toBe('***b')
    expect(redact('abcabc abcabc')).toBe('*** ***')
  })

  test('each line of a key is hidden, also indented and alone', () => {
    expect(redact(`key:\n${KEY}after`)).toBe('key:\n***after')
    expect(redact('+   hkiG9w0BAQEFAASC')).toBe('+   ***')
  })

  test('in base64 it is found at every place of a longer text', () => {
    const value = VALUES[4] ?? ''
    for (const before of ['', 'u:', 'me:', 'you:']) {
      const whole = Buffer.from(`${before}${value}, and more`).toString('base64')
      const hidden = redact(`Authorization: Basic ${whole}`)
      expect(hidden).toContain('***')
      expect(Buffer.from(hidden.replace(/^.*Basic |\*\*\*/g, ''), 'base64').toString()).not.toContain('pass')
    }
  })

  test('in URLs it is found in both spellings of a space and of an apostrophe', () => {
    expect(redact("x=it's%20a%20pass%2Fword%2B1;")).toBe('x=***;')
    expect(redact('x=it%27s%20a%20pass%2Fword%2B1;')).toBe('x=***;')
    expect(redact('x=it%27s+a+pass%2Fword%2B1;')).toBe('x=***;')
  })

  test('a value of three letters is not replaced, because it is in too many words', () => {
    know('dev')
    expect(redact('dev and devices')).toBe('dev and devices')
  })
})

describe('a text in pieces', () => {
  const pieces = (text: string, cuts: readonly number[]): string[] => {
    const places = [...new Set(cuts.map((at) => at % (text.length + 1)))].sort((a, b) => a - b)
    return [...places, text.length].map((end, at) => text.slice(places[at - 1] ?? 0, end))
  }
  // Mostly the letters that the secrets are made of, so that beginnings, overlaps and near misses abound.
  const some = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'x', '\n', '€') },
      { weight: 2, arbitrary: fc.constantFrom(...VALUES) },
      { weight: 1, arbitrary: fc.constantFrom(...VALUES).map((value) => value.slice(0, -1)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(...VALUES.map((value) => Buffer.from(value).toString('base64'))),
      },
    ),
    { maxLength: 40 },
  )

  test('is the same as the whole, however it was cut', () => {
    fc.assert(
      fc.property(some, fc.array(fc.nat(), { maxLength: 30 }), (parts, cuts) => {
        const text = parts.join('')
        const redactor = createRedactor()
        const given = pieces(text, cuts).map((piece) => redactor.add(piece))
        given.push(redactor.end())
        expect(given.join('')).toBe(redact(text))
      }),
      { numRuns: 3000 },
    )
  })

  test('what cannot begin a secret is given at once', () => {
    const redactor = createRedactor()
    expect(redactor.add('Compiling…\n')).toBe('Compiling…\n')
    expect(redactor.add('50 %')).toBe('50 %')
    expect(redactor.add('tab')).toBe('t')
    expect(redactor.add('le')).toBe('able')
    expect(redactor.end()).toBe('')
  })

  test('holds back no more than the longest secret, even where one overlaps the next for ever', () => {
    const redactor = createRedactor()
    let given = ''
    for (let at = 0; at < 2_000; at++) given += redactor.add('a'.repeat(1_000))
    given += redactor.add('.')
    expect(given).toBe('***.')
  })

  test('a secret that becomes known meanwhile counts from then on', () => {
    const redactor = createRedactor()
    expect(redactor.add('late-comer ')).toBe('late-comer ')
    know('late-comer')
    expect(redactor.add('late-')).toBe('')
    expect(redactor.add('comer')).toBe('***')
  })
})
