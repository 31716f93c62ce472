import { expect, test } from 'vitest'
import { publicUrl } from '../../scripts/pack/repository.mjs'

const PUBLIC = 'https://git.example.com/acme/deployfile.git'

test.each([
  ['git@git.example.com:acme/deployfile.git', PUBLIC],
  ['git.example.com:/acme/deployfile', PUBLIC],
  ['ssh://git@git.example.com:2222/acme/deployfile.git', PUBLIC],
  ['https://git.example.com/acme/deployfile/', PUBLIC],
  ['https://who:secret@git.example.com/acme/deployfile.git', PUBLIC],
  ['/srv/git/deployfile.git', undefined],
  ['../deployfile', undefined],
  ['file:///srv/git/deployfile.git', undefined],
  ['./odd.name:folder', undefined],
  ['', undefined],
])('a clone of %s is of %s', (remote, url) => {
  expect(publicUrl(remote)).toBe(url)
})
