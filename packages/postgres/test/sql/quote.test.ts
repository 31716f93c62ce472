import { expect, it } from 'vitest'
import { identifier, literal } from '../../src/sql/quote.ts'

it('quotes names', () => {
  expect(identifier('a"; DROP DATABASE x; --')).toBe('"a""; DROP DATABASE x; --"')
})

it('quotes texts, the same under both settings of standard_conforming_strings', () => {
  expect(literal("it's")).toBe("'it''s'")
  expect(literal("\\'; DROP")).toBe("E'\\\\''; DROP'")
})
