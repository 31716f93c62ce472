import { secret } from '@deployfile/core'
import { afterEach, describe, expect, it } from 'vitest'
import { passLine, withoutPassword } from '../../src/connection/passfile.ts'

describe('passLine', () => {
  afterEach(() => {
    delete process.env.TEST_PASSLINE
  })

  it('escapes what divides the fields', () => {
    expect(passLine('a:b\\c')).toBe('*:*:*:*:a\\:b\\\\c')
  })

  it('reads a secret only now', () => {
    const password = secret.env('TEST_PASSLINE')
    expect(() => passLine(password)).toThrow('TEST_PASSLINE is not set')
    process.env.TEST_PASSLINE = 'pw'
    expect(passLine(password)).toBe('*:*:*:*:pw')
  })

  it('refuses what a file of lines cannot hold', () => {
    expect(() => passLine('a\nb')).toThrow('line break')
  })
})

describe('withoutPassword', () => {
  it('hides it as it is and as part of a URL', () => {
    expect(withoutPassword('x p@ss y p%40ss z', 'p@ss')).toBe('x *** y *** z')
    expect(withoutPassword('text', undefined)).toBe('text')
    expect(withoutPassword('text', '')).toBe('text')
  })
})
