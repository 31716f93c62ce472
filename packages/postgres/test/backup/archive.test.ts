import { describe, expect, it } from 'vitest'
import { readableFrom } from '../../src/backup/archive.ts'
import { UNWANTED } from '../../src/backup/contents.ts'
import { formatBytes } from '../../src/backup/size.ts'

// As pg_restore 15 -l prints it; grep -E and JavaScript read the pattern alike.
const TOC = `;
; Archive created at 2026-11-23 01:23:45 UTC
5; 2615 2200 SCHEMA - public postgres
3400; 0 0 COMMENT - SCHEMA public postgres
2; 3079 16385 EXTENSION - hstore
3401; 0 0 COMMENT - EXTENSION hstore
6; 2615 16500 SCHEMA - publications app
215; 1259 16390 TABLE public schema postgres
6102; 6100 16999 SUBSCRIPTION - upstream postgres
3402; 0 0 COMMENT public TABLE schema app
3390; 0 16390 TABLE DATA public schema postgres`

describe('the entries that a restore leaves out', () => {
  it('are the schema public and what only a superuser may say, and what would replicate', () => {
    const pattern = new RegExp(UNWANTED)
    const left = TOC.split('\n').filter((line) => !pattern.test(line))
    expect(TOC.split('\n').length - left.length).toBe(4)
    expect(left.join('\n')).toContain('SCHEMA - publications')
    expect(left.join('\n')).toContain('TABLE public schema')
    expect(left.join('\n')).toContain('EXTENSION - hstore')
  })
})

describe('readableFrom', () => {
  it.each([
    ['1.14', 12],
    ['1.15', 16],
    ['1.16', 17],
  ])('format %s is read from PostgreSQL %i on', (version, major) => {
    expect(readableFrom(version)).toBe(major)
  })
})

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [4_100_000, '4.1 MB'],
    [999_999, '1.0 MB'],
    [197_000_000, '197 MB'],
  ])('%i is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})
