import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { quote, quotePath } from '../../src/command/quote.ts'

// Byte by byte, so that invalid UTF-8 is among them.
const everyByte = Array.from({ length: 255 }, (_, at) => String.fromCharCode(at + 1)).join('')

describe('quote', () => {
  test.each(['dash', 'bash'])('all bytes but NUL come through %s', (shell) => {
    const script = Buffer.from(`printf %s ${quote(everyByte)}`, 'latin1')
    const done = spawnSync(shell, [], { input: script })
    expect(done.stdout.toString('latin1')).toBe(everyByte)
  })

  test('the empty string is a word', () => {
    expect(quote('')).toBe("''")
  })

  test('NUL is refused', () => {
    expect(() => quote('a\0b')).toThrow('a value for a command contains a NUL byte: "a\\u0000b"')
  })
})

describe('quotePath', () => {
  test.each([
    ['/srv/app', "'/srv/app'"],
    ['-rf', "'./-rf'"],
    ['~', '"$HOME"'],
    ['~/a b', `"$HOME"/'a b'`],
    ['~user', "'./~user'"],
    ['$HOME', "'./$HOME'"],
  ])('%s is %s', (path, word) => {
    expect(quotePath(path)).toBe(word)
  })

  test('an empty path is refused, because it would mean the current folder somewhere', () => {
    expect(() => quotePath('')).toThrow('a path is empty')
  })
})
