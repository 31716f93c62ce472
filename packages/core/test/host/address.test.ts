import { parseAddress } from '@deployfile/core'
import { expect, test } from 'vitest'

test.each([
  ['web1', { hostname: 'web1' }],
  ['deploy@web1.example.com:2222', { user: 'deploy', hostname: 'web1.example.com', port: 2222 }],
  ['ssh://me@[::1]:22/', { user: 'me', hostname: '::1', port: 22 }],
  ['[fe80::1]', { hostname: 'fe80::1' }],
  ['fe80::1', { hostname: 'fe80::1' }],
  ['a@b@host', { user: 'a@b', hostname: 'host' }],
  ['SSH://a%40b@web1:22', { user: 'a@b', hostname: 'web1', port: 22 }],
  ['ssh://web1', { hostname: 'web1' }],
  ['ssh://[2001:db8::1]', { hostname: '2001:db8::1' }],
  ['deploy@2001:db8::1', { user: 'deploy', hostname: '2001:db8::1' }],
  ['fe80::1%eth0', { hostname: 'fe80::1%eth0' }],
  ['web_1.intern-net', { hostname: 'web_1.intern-net' }],
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
  ['web:', "the port '' of the address 'web:' is not a number"],
  ['web:+22', "the port '+22' of the address 'web:+22' is not a number"],
  ['web:22x', "the port '22x' of the address 'web:22x' is not a number"],
  ['web\u00071', 'the address "web\\u00071" contains white space or control characters'],
  ['web\u00001', 'the address "web\\u00001" contains white space or control characters'],
  ['me@-oX', "the address 'me@-oX' starts with a dash, which ssh would take for an option"],
  ['[::1', "the address '[::1' has brackets that do not enclose an IPv6 address"],
  ['[]:22', "the address '[]:22' names no host"],
  ['ssh://web1/srv', "the address 'ssh://web1/srv' has a path: it ends with the host or the port"],
  ['me:secret@web1', "the address of 'me@…' has a password in it: log in with a key"],
  ['web$(id)', "the host of the address 'web$(id)' has characters that mean something to a shell"],
  ['`id`@web1', "the user of the address '`id`@web1' has characters that mean something to a shell"],
  ['web:65536', "the port 65536 of the address 'web:65536' is not between 1 and 65535"],
])('%j is refused', (text, message) => {
  expect(parseAddress(text)).toBe(message)
})
