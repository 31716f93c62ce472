import { expect, test } from 'vitest'
import { codeIn, page, tableRows } from './pages.ts'

const PACKAGES = ['core', 'shell', 'postgres', 'recipes', 'deployfile']

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

const manifests = PACKAGES.map((name) => JSON.parse(page(`packages/${name}/package.json`)) as Manifest)

test('the page of dependencies says of each what it is for, and of no other', () => {
  const used = manifests
    .flatMap(({ dependencies = {} }) => Object.keys(dependencies))
    .filter((name) => !name.startsWith('@deployfile/'))
  const told = tableRows(page('docs/dependencies.md')).flatMap(([names = '']) => names.split(', '))
  expect(codeIn(told.join(' '))).toEqual([])
  expect([...told].sort()).toEqual([...new Set(used)].sort())
})

test('and that none of ours runs anything when it is installed', () => {
  const run = manifests.flatMap(({ scripts = {} }) => Object.keys(scripts))
  expect(run.filter((name) => /^(?:pre|post)?install$|^prepare$/.test(name))).toEqual([])
})
