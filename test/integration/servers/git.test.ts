import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeGitServer } from '../../servers/git.ts'
import { tempFolder } from '../../servers/temp.ts'

it('makes a bare repository with branches from a folder of files', async () => {
  await using folder = tempFolder('files')
  mkdirSync(join(folder.path, 'config'))
  writeFileSync(join(folder.path, 'config/app.yml'), 'name: shop\n')
  await using server = makeGitServer({ from: folder.path, branches: ['master', 'staging'] })

  expect(server.git('rev-parse', '--is-bare-repository')).toBe('true')
  expect(server.git('show', 'staging:config/app.yml')).toBe('name: shop')
  expect(server.revision('staging')).toBe(server.revision('master'))
})

it('commits onto one branch, and leaves the others where they were', async () => {
  await using server = makeGitServer({ branches: ['master', 'staging'] })
  const before = server.revision('master')

  const sha = server.commit({ 'lib/a.txt': 'one\n', 'b.txt': 'two\n' }, 'Add two files', 'staging')
  expect(sha).toMatch(/^[0-9a-f]{40}$/)
  expect(server.revision('staging')).toBe(sha)
  expect(server.revision()).toBe(before)
  expect(server.git('log', '-1', '--format=%s|%an', 'staging')).toBe('Add two files|A developer')

  const next = server.commit({ 'b.txt': null }, 'Remove one', 'staging')
  expect(server.git('ls-tree', '-r', '--name-only', next)).toBe('lib/a.txt')
})

it('leaves nothing behind', async () => {
  const server = makeGitServer()
  expect(existsSync(server.repository)).toBe(true)
  await server.remove()
  expect(existsSync(server.repository)).toBe(false)
})
