import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  entriesOf,
  fingerprint,
  judge as judgeEntries,
  knownName,
  type KnownKey,
  knownTypes,
  namesHost,
  parseKnownHosts,
} from '../../src/ssh/known-hosts.ts'

/** A public key of a type, as it goes over the wire; what follows the type is all the same here. */
function key(type: string, seed: string): Buffer {
  const part = (text: string): Buffer => {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(Buffer.byteLength(text))
    return Buffer.concat([size, Buffer.from(text)])
  }
  return Buffer.concat([part(type), part(seed)])
}
const line = (names: string, bytes: Buffer, marker = ''): string =>
  `${marker}${names} ${bytes.toString('latin1', 4, 4 + bytes.readUInt32BE(0))} ${bytes.toString('base64')} a comment\n`

const ed = key('ssh-ed25519', 'one')
const other = key('ssh-ed25519', 'two')
const rsa = key('ssh-rsa', 'three')

describe('names', () => {
  const salt = Buffer.from('0123456789abcdefghij')
  const hash = (name: string): string =>
    `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
  test.each([
    ['web1', 'web1', true],
    ['WEB1', 'web1', true],
    ['web1,web2', 'web2', true],
    ['web?', 'web1', true],
    ['web?', 'web10', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*,!db1', 'db1', false],
    ['!db1,*', 'db1', false],
    ['!db1', 'web1', false],
    ['[web1]:2222', '[web1]:2222', true],
    ['[web1]:2222', 'web1', false],
    ['web1', '[web1]:2222', false],
    ['w*b*1', 'waaabaaab1', true],
    [hash('web1'), 'web1', true],
    [hash('web1'), 'web2', false],
    ['|1|broken', 'web1', false],
    ['|2|a|b', 'web1', false],
  ])('%s for %s: %s', (names, host, expected) => {
    expect(namesHost(names, host)).toBe(expected)
  })

  test('a hostile pattern takes no time', () => {
    expect(namesHost(`${'*a'.repeat(200)}b`, 'a'.repeat(400))).toBe(false)
  })

  test('the name has the port when it is not 22; an alias never has', () => {
    expect(knownName('Web1', 22, undefined)).toBe('web1')
    expect(knownName('::1', 2222, undefined)).toBe('[::1]:2222')
    expect(knownName('10.0.0.7', 2222, 'db')).toBe('db')
  })
})

describe('judge', () => {
  const judge = (lines: readonly KnownKey[], name: string, key: Buffer) =>
    judgeEntries(entriesOf(lines, name), key)
  const known = (text: string) => parseKnownHosts(text, 'known_hosts')

  test('a key that stands there matches, wherever', () => {
    const lines = known(
      `# comment\n\nnonsense\nweb1 ssh-ed25519 !!!\n${line('web1', other)}${line('web1', ed)}`,
    )
    expect(judge(lines, 'web1', ed)).toEqual({ status: 'match' })
  })

  test('a host without a line is unknown', () => {
    expect(judge(known(line('web2', ed)), 'web1', ed)).toEqual({ status: 'unknown' })
  })

  test('another key has changed, with the line of the same type', () => {
    const verdict = judge(known(`${line('web1', rsa)}\n${line('web1', other)}`), 'web1', ed)
    expect(verdict).toMatchObject({
      status: 'changed',
      known: { file: 'known_hosts', line: 3, type: 'ssh-ed25519' },
    })
  })

  test('a host that is known by another type only is not the one that was trusted', () => {
    expect(judge(known(line('web1', rsa)), 'web1', ed).status).toBe('changed')
  })

  test('revoked beats a match', () => {
    const lines = known(`${line('web1', ed)}${line('*', ed, '@revoked ')}`)
    expect(judge(lines, 'web1', ed)).toMatchObject({ status: 'revoked', known: { line: 2 } })
    expect(judge(known(`${line('web1', ed)}${line('web2', ed, '@revoked ')}`), 'web1', ed).status).toBe(
      'match',
    )
  })

  test('a tab after the marker, which ssh does not read, still revokes', () => {
    expect(judge(known(line('*', ed, '@revoked\t')), 'web1', ed).status).toBe('revoked')
  })

  test('an authority is no key of the host', () => {
    const verdict = judge(known(line('*', ed, '@cert-authority ')), 'web1', ed)
    expect(verdict).toMatchObject({ status: 'unknown', authority: { line: 1 } })
  })

  test('a line whose key is of another type than it says does not count', () => {
    expect(judge(known(`web1 ssh-rsa ${ed.toString('base64')}`), 'web1', ed)).toEqual({ status: 'unknown' })
  })

  test('known types are those of the host’s own lines', () => {
    const lines = known(
      `${line('web1', rsa)}${line('web1', ed)}${line('web2', other)}${line('web1', other, '@revoked ')}`,
    )
    expect(knownTypes(entriesOf(lines, 'web1'))).toEqual(['ssh-rsa', 'ssh-ed25519'])
  })
})

test('a fingerprint is what ssh-keygen prints', () => {
  const bytes = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl', 'base64')
  expect(fingerprint(bytes)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})
