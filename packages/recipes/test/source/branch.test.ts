import { describe, expect, it } from 'vitest'
import { branchFault, repositoryFault } from '../../src/source/branch.ts'

describe('names of branches', () => {
  it.each(['master', 'feature/a-b', 'v1.2.3', 'fix(#7);$(true)', "it's", 'ü', 'HEAD'])(
    'git can have: %s',
    (name) => {
      expect(branchFault(name)).toBeUndefined()
    },
  )

  it.each([
    '',
    '-b',
    '--upload-pack=x',
    'a b',
    'a\nb',
    'a\tb',
    'a..b',
    'a~1',
    'a^',
    'a:b',
    'a*',
    'a[b',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a@{0}',
    '@',
  ])('git cannot have: %j', (name) => {
    expect(branchFault(name)).toMatch(/cannot be/)
  })
})

describe('addresses of repositories', () => {
  it.each([
    'git@git.example.com:app.git',
    'ssh://git@example.com:22/app.git',
    'https://example.com/a.git',
    'file:///srv/a b.git',
    '/srv/app.git',
  ])('are taken: %s', (url) => {
    expect(repositoryFault(url)).toBeUndefined()
  })

  it.each(['', '--upload-pack=touch x', 'ext::sh -c touch% x', 'a\nb'])('are refused: %j', (url) => {
    expect(repositoryFault(url)).toEqual(expect.any(String))
  })
})
