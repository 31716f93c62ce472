import { parseAddress } from '@deployfile/core'
import { expect, test } from 'vitest'

test.each([
  ['web1', { hostname: 'web1' }],
  ['deploy@web1.example.com:2222', { user: 'deploy', hostname: 'web1.example.com', port: 2222 }],
  ['ssh://me@[::1]:22/', { user: 'me', hostname: '::1', port: 22 }],
  ['[fe80::1]', { hostname: 'fe80::1' }],
  ['fe80::1', { hostname: 'fe80::1' }],
  ['a@b@host', { user: 'a@b', hostname: 'host' }],
])('%s', (text, address) => {
  expect(parseAddress(text)).toEqual(address)
})

test.each([
  ['', "the address '' names no host"],
  [
    '-oProxyCommand=id',
    "the address '-oProxyCommand=id' starts with a dash, which ssh would take for an option",
  ],
  ['-l@web1', "the address '-l@web1' has no usable user before the @"],
  ['@web1', "the address '@web1' has no usable user before the @"],
  ['web 1', 'the address "web 1" contains white space or control characters'],
  ['web\n1', 'the address "web\\n1" contains white space or control characters'],
  ['web:ssh', "the port 'ssh' of the address 'web:ssh' is not a number"],
  ['web:0', "the port 0 of the address 'web:0' is not between 1 and 65535"],
  ['web:65536', "the port 65536 of the address 'web:65536' is not between 1 and 65535"],
])('%j is refused', (text, message) => {
  expect(parseAddress(text)).toBe(message)
})
