import { createRedactor, reveal, secret } from '@deployfile/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCapture, createLines } from '../../src/command/output.ts'

const cut = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...places, bytes.length].map((end, at) => bytes.subarray(places[at - 1] ?? 0, end))
}

describe('capture', () => {
  test('what fits is kept whole, however it was cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (text, cuts) => {
          const capture = createCapture(10_000)
          for (const part of cut(Buffer.from(text), cuts)) capture.add(part)
          expect(capture.truncated).toBe(false)
          expect(capture.text()).toBe(text)
        },
      ),
    )
  })

  test('head and tail stay, whole characters only, and the gap is counted', () => {
    const capture = createCapture(100)
    for (let at = 0; at < 100_000; at++) capture.add(Buffer.from('€'))
    expect(capture.truncated).toBe(true)
    const [head = '', gap = '', tail = ''] = capture.text().split('\n')
    expect(head).toBe('€'.repeat(16))
    expect(tail).toBe('€'.repeat(16))
    expect(gap).toBe('[… 299900 bytes left out …]')
  })

  test('are the first and the last bytes of all there were, however it was cut and however small they may be', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.nat(60),
        (text, cuts, limit) => {
          const bytes = Buffer.from(text.replace(/[^ -~]/g, '.'))
          const capture = createCapture(limit)
          for (const part of cut(bytes, cuts)) capture.add(part)
          const half = Math.floor(limit / 2)
          const left = bytes.length - 2 * half
          expect(capture.truncated).toBe(left > 0)
          const all = bytes.toString()
          const [head, tail] = [all.slice(0, half), all.slice(Math.max(half, all.length - half))]
          expect(capture.text()).toBe(left > 0 ? `${head}\n[… ${left} bytes left out …]\n${tail}` : all)
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('memory stays bounded', () => {
    const capture = createCapture(1024)
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const before = process.memoryUsage().arrayBuffers
    for (let at = 0; at < 5_000; at++) capture.add(Buffer.from(chunk))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
    expect(capture.text().length).toBeLessThan(1200)
  })
})

describe('lines', () => {
  test('are the same however the stream was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z€ü😀\t]{0,6}$/u), { minLength: 1 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (words, cuts) => {
          const told: string[] = []
          const lines = createLines(createRedactor(), (line) => told.push(line))
          for (const part of cut(Buffer.from(words.map((word) => `${word}\n`).join('')), cuts))
            lines.add(part)
          lines.end()
          expect(told).toEqual(words)
        },
      ),
    )
  })

  test('the last one needs no newline, and CR LF ends one', () => {
    const told: string[] = []
    const lines = createLines(createRedactor(), (line) => told.push(line))
    lines.add(Buffer.from('one\r\ntwo'))
    lines.end()
    expect(told).toEqual(['one', 'two'])
  })

  test('one without an end comes in pieces', () => {
    const told: string[] = []
    const lines = createLines(createRedactor(), (line) => told.push(line))
    for (let at = 0; at < 100; at++) lines.add(Buffer.alloc(10_000, 'x'))
    lines.end()
    expect(told.length).toBeGreaterThan(10)
    expect(told.join('').length).toBe(1_000_000)
  })

  test('a secret is hidden at the border of two pieces of a long line, and over several lines', () => {
    process.env['OUTPUT_SECRET'] = 'a key of\nseveral lines'
    reveal(secret.env('OUTPUT_SECRET'))
    fc.assert(
      fc.property(
        fc.integer({ min: 65_500, max: 65_560 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (before, cuts) => {
          const told: string[] = []
          const lines = createLines(createRedactor(), (line) => told.push(line))
          const text = Buffer.from(`${'x'.repeat(before)}a key of\nseveral linesy\nend\n`)
          for (const part of cut(text, cuts)) lines.add(part)
          lines.end()
          expect(told.join('')).toBe(`${'x'.repeat(before)}***yend`)
        },
      ),
      { numRuns: 200 },
    )
  })
})
